// Signing in as people do: vivavoce-cli at npm's oidc-provider, a certified OpenID provider, for a vivavoce-broker that believes it. The test is
// the browser and the other device.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, test } from 'node:test';
import Provider from 'oidc-provider';
import { within } from './offline_agent.mjs';
import { startBroker } from './real_broker.mjs';

const kAudience = 'https://voice.example';
const kScopes = 'voice:mint voice:session';
const kDeviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
/** Shorter than a conversation: tokens have to be renewed. */
const kAccessSeconds = 3;

const folder = mkdtempSync(join(tmpdir(), 'vivavoce-sign-in-'));
const listening = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)));

/** A real provider on loopback, whose one user, ada, agrees to everything at once. */
class Login {
  /** What its token endpoint has given, and for which grants. */
  issued = [];
  grants = [];

  async start() {
    this.server = createServer((request, response) => this.route(request, response));
    this.issuer = await listening(this.server);
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
    this.provider = new Provider(this.issuer, {
      jwks: { keys: [{ ...key, kid: 'only', use: 'sig', alg: 'RS256' }] },
      clients: [{
        client_id: 'vivavoce-app', application_type: 'native', token_endpoint_auth_method: 'none', response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token', kDeviceGrant], redirect_uris: ['http://127.0.0.1/callback'] }],
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: 'Ada', email: 'ada@example.org' }) }),
      claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email'] },
      conformIdTokenClaims: false,
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      features: {
        devInteractions: { enabled: false }, deviceFlow: { enabled: true }, revocation: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({ scope: kScopes, audience: kAudience, accessTokenFormat: 'jwt', accessTokenTTL: kAccessSeconds, jwt: { sign: { alg: 'RS256' } } }) },
      },
    });
    this.provider.use(async (context, next) => {
      await next();
      if (context.oidc?.route === 'token' && context.status === 200) {
        this.issued.push(context.body);
        this.grants.push(context.oidc.params.grant_type);
      }
    });
    this.callback = this.provider.callback();
    return this;
  }
  route(request, response) {
    if (request.url.startsWith('/interaction/')) {
      this.agree(request, response).catch((error) => { response.statusCode = 500; response.end(String(error)); });
    } else {
      this.callback(request, response);
    }
  }
  async agree(request, response) {
    const { prompt, params, session } = await this.provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      await this.provider.interactionFinished(request, response, { login: { accountId: 'ada' } });
      return;
    }
    const grant = new this.provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope('openid profile email offline_access');
    grant.addResourceScope(kAudience, kScopes);
    await this.provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }
  secrets() { return this.issued.flatMap((answer) => [answer.access_token, answer.refresh_token, answer.id_token]).filter(Boolean); }
  stop() { this.server.close(); this.server.closeAllConnections(); }
}

/** A browser without windows: it keeps cookies and follows redirects. */
class Browser {
  cookies = new Map();
  async open(url, form) {
    for (let next = url, body = form && new URLSearchParams(form); ;) {
      const answer = await fetch(next, { redirect: 'manual', method: body ? 'POST' : 'GET', body,
        headers: { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') } });
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
        this.cookies.set(name, value);
      }
      const where = answer.headers.get('location');
      if (!where) return { url: String(next), status: answer.status, headers: answer.headers, page: await answer.text() };
      next = new URL(where, next);
      body = undefined;
    }
  }
}

let login, agent, broker, opened, browserServer, browserProgram;
before(async () => {
  login = await new Login().start();
  agent = spawn(join(process.env.VV_BIN_DIR, 'vivavoce-agent'), ['--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const agentUrl = await within(30_000, 'the ready line of the agent', new Promise((resolve) => {
    createInterface({ input: agent.stdout }).once('line', (line) => resolve(JSON.parse(line).url));
  }));
  broker = await startBroker({ provider: `url = "${agentUrl}"`, limits: 'mints_per_minute = 1000, sessions_per_user = 100', more: `
[[issuers]]
url = "${login.issuer}"
audiences = ["${kAudience}"]
scopes = []
leeway = 0
app_client_id = "vivavoce-app"
` });
  // What BROWSER names tells the test where it was sent.
  browserServer = createServer((request, response) => {
    let url = '';
    request.on('data', (data) => { url += data; });
    request.once('end', () => { response.end(); opened(url); });
  });
  const told = await listening(browserServer);
  browserProgram = join(folder, 'browser');
  writeFileSync(browserProgram, `#!/bin/sh\nexec '${process.execPath}' -e 'fetch(process.argv[1], { method: "POST", body: process.argv[2] })' '${told}' "$1"\n`);
  chmodSync(browserProgram, 0o700);
});
const children = [];
after(async () => {
  // Whatever one waits for: the run ends.
  for (const child of children) child.kill();
  await broker.stop();
  agent.kill();
  login.stop();
  browserServer.close();
  browserServer.closeAllConnections();
  rmSync(folder, { recursive: true });
});
beforeEach(() => { login.issued = []; login.grants = []; });

/** vivavoce-cli with its events as they come; `url` is what it opens in the browser. */
function talk(...words) {
  const url = new Promise((resolve) => { opened = resolve; });
  const child = spawn(join(process.env.VV_BIN_DIR, 'vivavoce-cli'), ['talk', '--broker', broker.url, '--sign-in', ...words],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, BROWSER: browserProgram } });
  children.push(child);
  const events = [];
  const waiting = [];
  let said = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    said += line;
    const event = JSON.parse(line);
    events.push(event);
    waiting.filter(({ wanted }) => wanted(event)).forEach(({ resolve }) => resolve(event));
  });
  child.stderr.on('data', (data) => { said += data; });
  const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, events, said })));
  return {
    url: () => within(20_000, 'the browser', url),
    event: (wanted) => within(20_000, 'an event', Promise.race([
      new Promise((resolve) => { const known = events.find(wanted); known ? resolve(known) : waiting.push({ wanted, resolve }); }),
      ended.then(({ said: all }) => { throw new Error(`it ended before: ${all}`); })])),
    ended: () => within(50_000, 'the end of vivavoce-cli', ended),
  };
}

const kQuestions = ['--text', 'What time is it?', '--text', 'And now?'];

/** That nobody reads a token anywhere, and none of them opens anything any more. */
async function checkNothingIsLeft(said) {
  assert.ok(login.secrets().length > 0);
  for (const secret of login.secrets()) assert.ok(!said.includes(secret), 'a token was printed');
  for (const { refresh_token: token } of login.issued) assert.equal(await login.provider.RefreshToken.find(token), undefined);
}

test('somebody signs in with the browser, talks for longer than a token lives, and is signed out', async () => {
  const conversation = talk(...kQuestions);
  const asked = new URL(await conversation.url());
  assert.equal(asked.origin, login.issuer);
  assert.equal(asked.searchParams.get('code_challenge_method'), 'S256');
  assert.equal(asked.searchParams.get('code_challenge').length, 43);
  for (const name of ['state', 'nonce']) assert.ok(asked.searchParams.get(name).length >= 22);
  const redirect = new URL(asked.searchParams.get('redirect_uri'));
  assert.equal(redirect.hostname, '127.0.0.1');
  const { url, status, page, headers } = await new Browser().open(asked);
  assert.equal(status, 200, page);
  assert.equal(new URL(url).origin, redirect.origin);
  assert.equal(new URL(url).searchParams.get('iss'), login.issuer);
  assert.match(page, /You can close this window/);
  assert.equal(headers.get('referrer-policy'), 'no-referrer');
  // One answer only.
  await assert.rejects(fetch(url), (error) => error.cause.code === 'ECONNREFUSED');
  const { code, events, said } = await conversation.ended();
  assert.equal(code, 0, said);
  assert.equal(events.find(({ type, event }) => type === 'sign_in' && event === 'signed_in').name, 'Ada');
  assert.equal(events.at(-1).turns, 2);
  assert.equal(login.grants[0], 'authorization_code');
  assert.ok(login.grants.slice(1).length > 0 && login.grants.slice(1).every((grant) => grant === 'refresh_token'), login.grants.join());
  assert.equal(new Set(login.issued.map((answer) => answer.refresh_token)).size, login.issued.length, 'each is rotated');
  await checkNothingIsLeft(said);
});

test('a forged answer is not taken, and the true one after it still is', async () => {
  const conversation = talk('--text', 'Hello.');
  const asked = new URL(await conversation.url());
  const forged = await fetch(`${asked.searchParams.get('redirect_uri')}?code=stolen&state=guessed&iss=${encodeURIComponent(login.issuer)}`);
  assert.doesNotMatch(await forged.text(), /You can close this window/);
  assert.deepEqual(login.grants, []);
  const { page } = await new Browser().open(asked);
  assert.match(page, /You can close this window/);
  const { code, said } = await conversation.ended();
  assert.equal(code, 0, said);
});

test('somebody says no', async () => {
  const conversation = talk('--text', 'Hello.');
  const asked = new URL(await conversation.url());
  const answer = new URL(asked.searchParams.get('redirect_uri'));
  answer.search = new URLSearchParams({ error: 'access_denied', state: asked.searchParams.get('state'), iss: login.issuer });
  await fetch(answer);
  const { code, events } = await conversation.ended();
  assert.equal(code, 3);
  assert.equal(events.find(({ type }) => type === 'error').providerCode, 'access_denied');
});

test('the issuer takes no other proof key than a hashed one, and no code without it', async () => {
  const conversation = talk('--text', 'Hello.');
  const asked = new URL(await conversation.url());
  const plain = new URL(asked);
  plain.searchParams.set('code_challenge_method', 'plain');
  const jar = new Browser();
  const refused = await jar.open(plain).catch((error) => error);
  // It says so to the redirect, or on a page of its own.
  assert.match(`${refused.url} ${refused.page}`, /invalid_request/);
  await conversation.ended();
  assert.deepEqual(login.grants, []);
});

test('where no browser opens, a code is typed on another device', async () => {
  const conversation = talk('--no-browser', ...kQuestions.slice(0, 2));
  const { code: userCode, url } = await conversation.event(({ type, event }) => type === 'sign_in' && event === 'code');
  const device = new Browser();
  const xsrf = (page) => /name="xsrf" value="([^"]+)"/.exec(page)[1];
  const form = await device.open(url);
  const confirm = await device.open(url, { xsrf: xsrf(form.page), user_code: userCode });
  const done = await device.open(url, { xsrf: xsrf(confirm.page), user_code: userCode, confirm: 'yes' });
  assert.equal(done.status, 200, done.page);
  const { code, events, said } = await conversation.ended();
  assert.equal(code, 0, said);
  assert.ok(events.some(({ type, event }) => type === 'sign_in' && event === 'signed_in'));
  assert.equal(login.grants[0], kDeviceGrant);
  await checkNothingIsLeft(said);
});
