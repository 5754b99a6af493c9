// npm's oidc-provider, a certified OpenID provider, vouches for users; vivavoce-broker believes it as far as it should.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { SignJWT, importJWK } from 'jose';
import Provider from 'oidc-provider';
import { within } from './offline_agent.mjs';

const kAudience = 'https://voice.example';
const folder = mkdtempSync(join(tmpdir(), 'vivavoce-oidc-'));
const children = [];

const makeKey = (kid) => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256',
});

/** A real provider on loopback; `rotate` puts another key in the place of its own. */
class Login {
  async start() {
    this.server = createServer((request, response) => this.callback(request, response));
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.issuer = `http://127.0.0.1:${this.server.address().port}`;
    this.rotate(makeKey('first'));
    return this;
  }
  rotate(key) {
    this.key = key;
    this.provider = new Provider(this.issuer, {
      jwks: { keys: [key] },
      clients: [
        { client_id: 'app', client_secret: 'app-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
        { client_id: 'broker', client_secret: 'broker-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
      ],
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      features: { clientCredentials: { enabled: true }, introspection: { enabled: true, allowedPolicy: () => true }, devInteractions: { enabled: false } },
      pkce: { required: () => false },
    });
    this.callback = this.provider.callback();
  }
  /** What a user of ours holds after signing in. */
  async token({ subject = 'ada', audience = kAudience, scope = 'voice:mint voice:session', format = 'jwt', life = 600 } = {}) {
    const client = await this.provider.Client.find('app');
    const grant = new this.provider.Grant({ accountId: subject, clientId: 'app' });
    grant.addResourceScope(audience, scope);
    const token = new this.provider.AccessToken({
      accountId: subject, client, scope, grantId: await grant.save(), gty: 'authorization_code', expiresIn: life });
    token.resourceServer = new this.provider.ResourceServer(audience, {
      audience, scope, accessTokenTTL: life, accessTokenFormat: format, jwt: { sign: { alg: this.key.alg } } });
    return token.save();
  }
  stop() { this.server.close(); }
}

function start(program, args, environment = {}) {
  const child = spawn(join(process.env.VV_BIN_DIR, program), args,
    { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...environment } });
  children.push(child);
  return within(30_000, `the ready line of ${program}`, new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line).url));
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
  }));
}

let broker, login, opaque;
before(async () => {
  login = await new Login().start();
  opaque = await new Login().start();
  const agent = await start('vivavoce-agent', ['--listen', '127.0.0.1:0']);
  writeFileSync(join(folder, 'broker.toml'), `
listen = "127.0.0.1:0"
audit = { folder = "${folder}/audit" }
database = { url = "sqlite://${folder}/broker.db" }
secret = "${randomBytes(32).toString('base64url')}"
provider = { url = "${agent}" }
limits = { mints_per_minute = 1000, sessions_per_user = 1000, strangers_per_minute = 100000, others_per_minute = 100000 }
[[issuers]]
url = "${login.issuer}"
audiences = ["${kAudience}"]
scopes = []
leeway = 0
key_cool_down = 1
[[issuers]]
url = "${opaque.issuer}"
audiences = ["${kAudience}"]
scopes = []
tokens = "opaque"
client_id = "broker"
client_secret = "broker-secret"
`);
  broker = await start('vivavoce-broker', ['--config', join(folder, 'broker.toml')], { OPENAI_API_KEY: 'the-agent-takes-any' });
});
after(async () => {
  await Promise.all(children.map((child) => new Promise((resolve) => { child.once('exit', resolve); child.kill(); })));
  login.stop();
  opaque.stop();
  rmSync(folder, { recursive: true });
});

async function mint(token) {
  const answer = await fetch(`${broker}/api/voice-agent/token`, {
    method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` } });
  return { status: answer.status, ...await answer.json() };
}

/** Asks again until the answer is the wanted one; its deadline is the test's. */
async function mintUntil(makeToken, wanted) {
  for (;;) {
    const answer = await mint(await makeToken());
    if (wanted(answer)) return answer;
  }
}

test('a user with a JWT of the provider gets a token of the voice service', async () => {
  const answer = await mint(await login.token());
  assert.equal(answer.status, 200);
  assert.match(answer.sessionId, /^voice_\d+_/);
});

test('a token for somebody else, without the scope, or in another shape opens nothing', async () => {
  assert.equal((await mint(await login.token({ audience: 'https://other.example' }))).code, 'invalid_token');
  assert.equal((await mint(await login.token({ scope: 'openid' }))).code, 'insufficient_scope');
  const key = await importJWK(login.key, login.key.alg);
  const claims = () => new SignJWT({ scope: 'voice:mint' }).setSubject('ada').setIssuer(login.issuer).setAudience(kAudience)
    .setIssuedAt().setExpirationTime('5 minutes');
  const shape = (typ) => claims().setProtectedHeader({ alg: login.key.alg, kid: login.key.kid, typ }).sign(key);
  assert.equal((await mint(await shape('at+jwt'))).status, 200);
  assert.equal((await mint(await shape('JWT'))).code, 'invalid_token');
  assert.equal((await mint(await shape('logout+jwt'))).code, 'invalid_token');
  const stranger = await importJWK(makeKey(login.key.kid), 'RS256');
  assert.equal((await mint(await claims().setProtectedHeader({ alg: 'RS256', kid: login.key.kid, typ: 'at+jwt' }).sign(stranger))).code,
    'invalid_token');
});

test('a token that is over says so', { timeout: 20_000 }, async () => {
  const short = await login.token({ life: 1 });
  const answer = await mintUntil(() => short, ({ status }) => status !== 200);
  assert.equal(answer.code, 'token_expired');
});

test('a rotated key is found, and the old one is forgotten', { timeout: 20_000 }, async () => {
  const old = await login.token();
  assert.equal((await mint(old)).status, 200);
  login.rotate(makeKey('second'));
  await mintUntil(() => login.token(), ({ status }) => status === 200);
  assert.equal((await mint(old)).code, 'invalid_token');
});

test('an opaque token is asked about each time, so a revoked one is refused at once', async () => {
  const token = await opaque.token({ format: 'opaque' });
  assert.equal((await mint(token)).status, 200);
  const stored = await opaque.provider.AccessToken.find(token);
  await stored.destroy();
  assert.equal((await mint(token)).code, 'invalid_token');
  assert.equal((await mint(await opaque.token({ format: 'opaque', audience: 'https://other.example' }))).code, 'invalid_token');
});

test('the audit knows who it was, and no token', async () => {
  const token = await login.token({ subject: 'grace' });
  const { sessionId } = await mint(token);
  const lines = readdirSync(join(folder, 'audit')).filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, 'audit', name), 'utf8').trim().split('\n').map((line) => JSON.parse(line)));
  const minted = lines.find((line) => line.session === sessionId);
  assert.equal(minted.subject, 'grace');
  assert.equal(minted.issuer, login.issuer);
  assert.ok(lines.some((line) => line.event === 'request.deny' && line.why === 'wrong_audience'));
  assert.ok(!JSON.stringify(lines).includes(token));
});
