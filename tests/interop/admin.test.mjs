// Somebody looks after a busy broker with its dashboard, in a real Chromium: signs in, watches, ends a session, lifts a block, changes a budget,
// saves a table. Each section is looked at by axe-core, light, dark and on a phone. ADMIN_SHOTS=/some/folder keeps what was seen.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import Provider from 'oidc-provider';
import puppeteer from 'puppeteer-core';
import WebSocket from 'ws';
import { within } from './offline_agent.mjs';
import { startBroker } from './real_broker.mjs';

const chromium = [process.env.CHROMIUM, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser',
  '/usr/bin/headless_shell', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));
if (!chromium) console.error('admin.test.mjs: NO CHROMIUM HERE, the dashboard is NOT tested (Debian: chromium-headless-shell)');
const skip = chromium ? false : 'there is no Chromium here';

const kAudience = 'https://voice.example';
const kScopes = 'voice:mint voice:session voice:admin';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'vivavoce-admin-'));
const shots = process.env.ADMIN_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

/** A real provider on loopback, whose one admin, ada, agrees to everything at once. */
class Login {
  async start() {
    this.server = createServer((request, response) => this.route(request, response));
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.issuer = `http://127.0.0.1:${this.server.address().port}`;
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
    const resource = (scope) => ({ scope, audience: kAudience, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'RS256' } } });
    this.resource = resource;
    this.provider = new Provider(this.issuer, {
      jwks: { keys: [{ ...key, kid: 'only', use: 'sig', alg: 'RS256' }] },
      clients: [{ client_id: 'vivavoce-dashboard', application_type: 'native', token_endpoint_auth_method: 'none', response_types: ['code'],
        grant_types: ['authorization_code'], redirect_uris: ['http://127.0.0.1/admin'] }],
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      clientBasedCORS: () => true,
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      features: { devInteractions: { enabled: false }, resourceIndicators: { enabled: true, getResourceServerInfo: () => resource(kScopes) } },
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
    grant.addOIDCScope('openid');
    grant.addResourceScope(kAudience, kScopes);
    await this.provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }
  /** What a user of ours holds after signing in. */
  async token(subject, scope = 'voice:mint voice:session') {
    const client = await this.provider.Client.find('vivavoce-dashboard');
    const grant = new this.provider.Grant({ accountId: subject, clientId: 'vivavoce-dashboard' });
    grant.addResourceScope(kAudience, scope);
    const token = new this.provider.AccessToken({ accountId: subject, client, scope, grantId: await grant.save(), gty: 'authorization_code', expiresIn: 600 });
    token.resourceServer = new this.provider.ResourceServer(kAudience, this.resource(scope));
    return token.save();
  }
  stop() { this.server.close(); this.server.closeAllConnections(); }
}

let login, agent, broker, browser, seen;
const sockets = [];
before(async () => {
  if (skip) return;
  login = await new Login().start();
  agent = spawn(join(process.env.VV_BIN_DIR, 'vivavoce-agent'), ['--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const agentUrl = await within(30_000, 'the ready line of the agent', new Promise((resolve) => {
    createInterface({ input: agent.stdout }).once('line', (line) => resolve(JSON.parse(line).url));
  }));
  broker = await startBroker({ provider: `url = "${agentUrl}", model = "gpt-realtime"`,
    limits: 'mints_per_minute = 4, violations_to_block = 2, sessions_per_user = 100, others_per_minute = 100000', more: `
projects = { check = "table" }
usage = { prices_file = "${join(process.cwd(), '../../resources/prices/prices.json')}" }
[[issuers]]
url = "${login.issuer}"
audiences = ["${kAudience}"]
scopes = []
dashboard_client_id = "vivavoce-dashboard"
` });
  browser = await puppeteer.launch({ executablePath: chromium, headless: true, userDataDir: join(folder, 'profile'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server', '--disable-background-networking'] });
  await fillBroker();
});
after(async () => {
  if (skip) return;
  for (const socket of sockets) socket.terminate();
  await browser?.close();
  await broker?.stop();
  agent?.kill();
  login?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(method, path, body, bearer = broker.key) {
  const answer = await fetch(`${broker.url}${path}`, { method, body: body && JSON.stringify(body),
    headers: { Authorization: `Bearer ${bearer}`, ...(body && { 'Content-Type': 'application/json' }) } });
  return { status: answer.status, json: await answer.json() };
}

const keyOf = (subject) => `2:${login.issuer.length}:${login.issuer}:${subject}`;

/** Somebody who talks through the relay until they are cut off; `end` is the close code then. */
async function talker(subject, projectId) {
  const { status, json } = await ask('POST', '/api/voice/session', { projectId }, await login.token(subject));
  assert.equal(status, 200, JSON.stringify(json));
  const socket = new WebSocket(`${broker.url.replace('http', 'ws')}/api/voice/stream`, { headers: { Authorization: `Bearer ${json.token}` } });
  sockets.push(socket);
  const end = new Promise((resolve) => socket.once('close', (code) => resolve(code)));
  const waitFor = (type) => within(20_000, type, new Promise((resolve) => {
    const read = (data) => { if (JSON.parse(data).type === type) { socket.off('message', read); resolve(); } };
    socket.on('message', read);
  }));
  await waitFor('session.created');
  const done = waitFor('response.done');
  socket.send(JSON.stringify({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'What time is it?' }] } }));
  socket.send(JSON.stringify({ type: 'response.create' }));
  await done;
  return { end, sessionId: json.sessionId };
}

/** Projects, people who talk, and a month in the ledger. */
async function fillBroker() {
  for (const [id, policy] of [['choir', { projectDollarsPerMonth: 40, projectMinutesPerDay: 600, userDollarsPerDay: 5 }], ['band', { projectDollarsPerDay: 20 }], ['trio', {}]]) {
    assert.equal((await ask('POST', '/api/admin/projects', { id, policy })).status, 200);
    for (const user of ['grace', 'joan', 'linus', 'edsger']) assert.equal((await ask('POST', '/api/admin/projects/members/add', { project: id, user: keyOf(user) })).status, 200);
  }
  const database = new DatabaseSync(broker.database);
  const row = database.prepare(`INSERT INTO usage_days (day, caller, issuer, subject, project, provider, model, transport, sessions, connected_ms, audio_in_ms, audio_out_ms, turns,
    tool_calls, text_in, cached_text_in, text_out, audio_in, cached_audio_in, audio_out, image_in, cached_image_in, transcribed_ms, transcription_tokens, nano_dollars, unpriced)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'relay', ?, ?, 0, 0, ?, 0, ?, 0, ?, ?, 0, ?, 0, 0, 0, 0, ?, 0)`);
  const today = Math.floor(Date.now() / 86_400_000);
  for (let back = 1; back < 30; ++back) {
    for (const [index, [subject, project]] of [['grace', 'choir'], ['joan', 'band'], ['linus', 'trio']].entries()) {
      const much = 3 + ((back * 7 + index * 5) % 11);
      if ((back + index) % 7 === 0) continue;
      row.run(today - back, keyOf(subject), login.issuer, subject, project, index === 1 ? 'gemini' : 'openai', index === 1 ? 'gemini-2.5-flash-native-audio' : 'gpt-realtime',
        much, much * 240_000, much * 9, much * 800, much * 500, much * 2400, much * 3600, much * 110_000_000);
    }
  }
  database.close();
}

/** Until it holds; the test's deadline is its own. */
async function until(what, holds) {
  const end = Date.now() + 20_000;
  for (;;) {
    // While a page goes to another one there is nobody to ask.
    const found = await holds().catch((error) => { if (!/context was destroyed/.test(error.message)) throw error; });
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${what}; ${typeof seen === "undefined" ? "" : await seen()}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

/** A page of the dashboard; what it complained of is in `complaints`. */
async function openPage({ path = '/admin', width = 1200, height = 900, scheme = 'light' } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    // That an answer is no success is told there, too, and is none; nor is what this Chromium does not know of the headers.
    if (['error', 'warn'].includes(message.type()) && !/^Failed to load resource|Permissions-Policy header: Unrecognized/.test(message.text())) page.complaints.push(message.text());
  });
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(broker.url + path);
  page.text = () => page.evaluate(() => document.body.innerText);
  seen = async () => `${await page.text()}\n${page.complaints.join("\n")}`;
  page.sees = (text) => until(`"${text}" on the page`, async () => (await page.text()).includes(text));
  page.misses = (text) => until(`no "${text}" on the page`, async () => !(await page.text()).includes(text));
  page.press = async (name, role = 'button') => {
    // Once it stands still.
    await page.locator(`::-p-aria([name="${name}"][role="${role}"])`).setTimeout(20_000).click();
  };
  page.go = async (section, title) => {
    await page.press(section, 'link');
    await until(title, () => page.evaluate((wanted) => document.querySelector('h1')?.textContent === wanted, title));
  };
  return page;
}

async function signInWith(page, token) {
  const input = await until('the field', () => page.$('input[type=password]'));
  await input.type(token);
  await page.press('Sign in');
}

async function signedIn(options) {
  const page = await openPage(options);
  await signInWith(page, broker.key);
  await page.sees('Live sessions');
  return page;
}

/** Nothing of a token is anywhere but in memory. */
async function checkKeepsNothing(page, ...secrets) {
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, document.documentElement.outerHTML]));
  for (const secret of secrets) assert.ok(!kept.includes(secret), 'a secret is kept');
  assert.ok(kept.startsWith('[{},{},""'), kept.slice(0, 200));
}

async function close(page) {
  assert.deepEqual(page.complaints, []);
  await page.browserContext().close();
}

test('a token opens it only where it is an admin\'s, and stays in memory', { skip }, async () => {
  const page = await openPage();
  await page.sees('Sign in');
  await signInWith(page, 'nonsense');
  await page.sees('invalid_token');
  const users = await login.token('grace');
  await signInWith(page, users);
  await page.sees('You are known here, but you are no admin.');
  await signInWith(page, broker.key);
  await page.sees('Live sessions');
  await checkKeepsNothing(page, broker.key, users);
  await until('it is live', async () => (await page.text()).includes('Live'));
  await page.press('Sign out');
  await page.sees('It stays in this page\'s memory');
  await close(page);
});

test('an admin signs in at the issuer, and nobody else\'s answer is believed', { skip }, async () => {
  const page = await openPage();
  const asked = [];
  page.on('request', (request) => { if (request.url().startsWith(login.issuer)) asked.push(request.url()); });
  await page.press(`Sign in with ${new URL(login.issuer).host}`);
  await page.sees('Live sessions');
  assert.equal(await page.evaluate(() => location.pathname + location.search), '/admin');
  await checkKeepsNothing(page, 'code=');
  const question = new URL(asked.find((url) => url.includes('code_challenge')));
  assert.equal(question.searchParams.get('code_challenge_method'), 'S256');
  assert.equal(question.searchParams.get('code_challenge').length, 43);
  for (const name of ['state', 'nonce']) assert.ok(question.searchParams.get(name).length >= 22);
  await close(page);
  const forged = await openPage({ path: `/admin?code=abc&state=${'x'.repeat(32)}` });
  await forged.sees('sign_in.state');
  assert.equal(await forged.evaluate(() => location.search), '');
  await close(forged);
});

test('a session is seen live, and ended', { skip }, async () => {
  const page = await signedIn();
  const { end, sessionId } = await talker('grace', 'choir');
  await page.sees('grace');
  await until('what it costs', async () => /\$0\.\d*[1-9]/.test(await page.evaluate(() => document.querySelector('tbody').innerText)));
  await page.press('End the session of grace');
  await page.sees('It is cut off at once.');
  await page.press('Cancel');
  assert.equal((await ask('GET', '/api/admin/sessions')).json.sessions.length, 1);
  await page.press('End the session of grace');
  await page.press('End the session');
  assert.equal(await within(5_000, 'the end of the stream', end), 4403);
  await page.sees('The session of grace has ended.');
  await page.sees('Nobody is talking.');
  await page.go('Audit', 'Audit');
  await page.sees(sessionId);
  await page.press('Verify the whole trail');
  await page.sees('were as they were written');
  await close(page);
});

test('a block is lifted', { skip }, async () => {
  const token = await login.token('joan');
  for (let i = 0; i < 8; ++i) await ask('POST', '/api/voice/session', { projectId: 'band' }, token);
  assert.equal((await ask('GET', '/api/admin/blocks')).json.blocks.length, 1);
  const page = await signedIn();
  await page.go('Security', 'Security');
  await page.sees('subject.block');
  await page.press(`Lift the block of ${keyOf('joan')}`);
  await page.press('Lift the block');
  await page.sees('Nobody is blocked.');
  assert.equal((await ask('GET', '/api/admin/blocks')).json.blocks.length, 0);
  await close(page);
});

test('a budget that was made smaller refuses the next session', { skip }, async () => {
  const page = await signedIn();
  await page.go('Budgets', 'Budgets and projects');
  await page.press('Change trio');
  const field = await until('the field', () => page.$('::-p-aria([name="Project, minutes a day"])'));
  await field.type('0');
  await page.press('Save');
  await page.sees('trio is changed.');
  const { status, json } = await ask('POST', '/api/voice/session', { projectId: 'trio' }, await login.token('linus'));
  assert.equal(status, 429);
  assert.equal(json.code, 'budget_exhausted');
  // Members, and a project of one's own, by keyboard alone.
  await (await page.$('::-p-aria([name="New project"][role="textbox"])')).type('quartet');
  await page.keyboard.press('Enter');
  await page.sees('New project quartet');
  await page.press('Save');
  await page.sees('quartet is made.');
  await page.press('Members of quartet');
  await (await until('the field', () => page.$('::-p-aria([name="User"][role="textbox"])'))).type(keyOf('edsger'));
  await page.press('Add');
  await page.sees('A member was added.');
  assert.deepEqual((await ask('GET', '/api/admin/projects/members?project=quartet')).json.members, [keyOf('edsger')]);
  await page.press('Remove quartet');
  await page.press('Remove the project');
  await page.sees('quartet is removed');
  const projects = (await ask('GET', '/api/admin/projects')).json.projects;
  assert.deepEqual(projects.map(({ id }) => id), ['band', 'choir', 'trio']);
  assert.deepEqual(projects.find(({ id }) => id === 'trio').policy, { projectMinutesPerDay: 0 });
  await close(page);
});

test('usage is saved as a table', { skip }, async () => {
  const page = await signedIn();
  const session = await page.createCDPSession();
  const downloads = mkdtempSync(join(folder, 'downloads-'));
  await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads, browserContextId: page.browserContext().id });
  await page.go('Usage', 'Usage');
  await (await page.$('::-p-aria([name="By"][role="combobox"])')).select('project');
  await page.press('Show');
  await page.sees('Usage by project');
  await page.press('Save as CSV');
  const [name] = await until('the file', async () => { const files = readdirSync(downloads).filter((file) => file.endsWith('.csv')); return files.length && files; });
  assert.match(name, /^usage-\d{4}-\d\d-\d\d-\d{4}-\d\d-\d\d-by-project\.csv$/);
  const csv = readFileSync(join(downloads, name), 'utf8');
  assert.match(csv, /^project,sessions,minutes,cost_usd/);
  assert.match(csv, /\r\nband,\d+,/);
  await close(page);
});

test('every section can be used by everybody: light, dark, and on a phone', { skip, timeout: 180_000 }, async () => {
  await talker('edsger', 'choir');
  await talker('edsger', 'band');
  const looks = { light: { scheme: 'light' }, dark: { scheme: 'dark' }, phone: { scheme: 'light', width: 360, height: 740 } };
  const sections = { Now: 'Now', Usage: 'Usage', Budgets: 'Budgets and projects', Security: 'Security', Health: 'Health', Audit: 'Audit' };
  const look = async (page, name) => {
    await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
    const { wide, there } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, there: innerWidth }));
    assert.ok(wide <= there, `${name} is ${wide} pixels wide on ${there}`);
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    assert.deepEqual(found.violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`), []);
    if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  };
  for (const [mode, options] of Object.entries(looks)) {
    const page = await openPage(options);
    await page.sees('Or with a token');
    await look(page, `sign-in-${mode}`);
    await signInWith(page, broker.key);
    await page.sees('edsger');
    for (const [link, title] of Object.entries(sections)) {
      await page.go(link, title);
      // Until what it asked for is there.
      await page.evaluate(() => new Promise((resolve) => { requestIdleCallback(resolve, { timeout: 1000 }); }));
      await until('its content', () => page.evaluate(() => document.querySelectorAll('tbody tr').length > 0));
      await look(page, `${link.toLowerCase()}-${mode}`);
    }
    await page.go('Budgets', 'Budgets and projects');
    await page.press('Change choir');
    await page.sees('Policy of choir');
    await look(page, `policy-${mode}`);
    await close(page);
  }
});
