// The peer: express, jose and express-rate-limit, put together as their READMEs say. It verifies a JWT, counts the caller, asks the
// provider for a token over kept-alive connections, or signs one of its own, remembers the session, and answers. It has no audit and no refresh.
import { randomBytes } from 'node:crypto';
import { Agent, request as ask } from 'node:http';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { SignJWT, createRemoteJWKSet, generateKeyPair, jwtVerify } from 'jose';

const [issuer, provider, algorithm = 'HS256'] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(`${issuer}/keys`));
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const sessions = new Map();
const signer = algorithm === 'ES256' ? (await generateKeyPair('ES256')).privateKey : randomBytes(32);

function mint(body) {
  return new Promise((resolve, reject) => {
    const asked = ask(`${provider}/v1/realtime/client_secrets`,
      { method: 'POST', agent, headers: { 'Content-Type': 'application/json', Authorization: 'Bearer key', 'Content-Length': Buffer.byteLength(body) } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece) => { text += piece; }).on('end', () => resolve(JSON.parse(text)));
      });
    asked.on('error', reject);
    asked.end(body);
  });
}

const app = express();
app.use(express.json());
app.use(async (request, response, next) => {
  try {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')[1];
    request.user = (await jwtVerify(token, keys, { issuer, audience: 'vivavoce', typ: 'at+jwt' })).payload.sub;
    next();
  } catch {
    response.status(401).json({ code: 'invalid_token' });
  }
});
app.use(rateLimit({ windowMs: 60_000, limit: 100_000, standardHeaders: 'draft-8', legacyHeaders: false, keyGenerator: (request) => request.user }));
app.post('/api/voice-agent/token', async (request, response) => {
  const minted = await mint(JSON.stringify({ session: { type: 'realtime', model: 'gpt-realtime' } }));
  const sessionId = `voice_${Math.trunc(Date.now() / 1000)}_${randomBytes(16).toString('hex')}`;
  sessions.set(sessionId, { user: request.user, expires: minted.expires_at });
  response.json({ token: minted.value, sessionId, expiresIn: 60 });
});
app.post('/api/voice/session', async (request, response) => {
  const sessionId = `voice_${Math.trunc(Date.now() / 1000)}_${randomBytes(16).toString('hex')}`;
  const token = await new SignJWT({ userId: request.user, sessionId, scope: 'voice-session' }).setProtectedHeader({ alg: algorithm })
    .setIssuer('peer').setAudience('peer').setIssuedAt().setExpirationTime('15 minutes').setJti(randomBytes(16).toString('hex')).sign(signer);
  sessions.set(sessionId, { user: request.user });
  response.json({ token, sessionId, expiresIn: 900 });
});
const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'listening', url: `http://127.0.0.1:${server.address().port}` }));
});
