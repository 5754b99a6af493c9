// A busy broker, somebody who vouches for its users, and a Chromium that shows the dashboard.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as askFor } from 'node:http';
import { connect, createServer as listenFor } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import Provider from 'oidc-provider';
import puppeteer from 'puppeteer-core';
import WebSocket from 'ws';
import { within } from './offline_agent.mjs';
import { startBroker } from './real_broker.mjs';

const chromium = [process.env.CHROMIUM, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser',
  '/usr/bin/headless_shell', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));
if (!chromium) console.error('admin: NO CHROMIUM HERE, the dashboard is NOT tested (Debian: chromium-headless-shell)');
export const skip = chromium ? false : 'there is no Chromium here';

const kAudience = 'https://voice.example';
const kScopes = 'voice:mint voice:session voice:admin';
export const folder = mkdtempSync(join(tmpdir(), 'vivavoce-admin-'));

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

/** Where alerts are told: /ops takes them, /chat has failed for as long as `isBroken`. */
class Hooks {
  isBroken = true;
  async start() {
    this.server = createServer((request, response) => {
      request.resume();
      request.once('end', () => { response.statusCode = request.url === '/chat' && this.isBroken ? 500 : 204; response.end(); });
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }
  stop() { this.server.close(); this.server.closeAllConnections(); }
}

/** The dashboard's files from a folder instead of those in the program, to try them without compiling: with the headers that the program gives them. */
async function serveFrom(pages) {
  const headers = Object.fromEntries((await fetch(`${broker.url}/admin`)).headers);
  delete headers['content-length'];
  const kTypes = { '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };
  frontServer = createServer((request, response) => {
    const { pathname } = new URL(request.url, broker.url);
    const file = join(pages, pathname === '/admin' ? 'index.html' : basename(pathname));
    if ((pathname === '/admin' || pathname.startsWith('/admin/')) && existsSync(file)) {
      response.writeHead(200, { ...headers, 'content-type': kTypes[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
      return;
    }
    const asked = askFor(`${broker.url}${request.url}`, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    request.pipe(asked);
  });
  await new Promise((resolve) => frontServer.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${frontServer.address().port}`;
}

/** What stands between a page and the broker, and can be taken away. */
export async function startBridge() {
  const open = new Set();
  const bridge = { isUp: true, cut() { bridge.isUp = false; for (const socket of open) socket.destroy(); }, stop() { bridge.cut(); server.close(); } };
  const server = listenFor((socket) => {
    if (!bridge.isUp) {
      socket.destroy();
      return;
    }
    const far = connect(Number(new URL(front).port), '127.0.0.1');
    for (const [one, other] of [[socket, far], [far, socket]]) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => { open.delete(one); other.destroy(); });
      one.pipe(other);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  bridge.url = `http://127.0.0.1:${server.address().port}`;
  return bridge;
}

export let login, broker, hooks;
/** Where pages find the broker. */
let front;
let agent, browser, seen, frontServer;
const sockets = [];
before(async () => {
  if (skip) return;
  login = await new Login().start();
  hooks = await new Hooks().start();
  agent = spawn(join(process.env.VV_BIN_DIR, 'vivavoce-agent'), ['--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const agentUrl = await within(30_000, 'the ready line of the agent', new Promise((resolve) => {
    createInterface({ input: agent.stdout }).once('line', (line) => resolve(JSON.parse(line).url));
  }));
  broker = await startBroker({ provider: `url = "${agentUrl}", model = "gpt-realtime"`,
    limits: 'mints_per_minute = 4, violations_to_block = 2, sessions_per_user = 100, others_per_minute = 100000', more: `
projects = { check = "table" }
usage = { prices_file = "${join(process.cwd(), '../../resources/prices/prices.json')}" }
invoices = { issuer = ["Example Ltd", "1 Example Street"], number_prefix = "VV-", currency = "EUR", rate = "0.92", rate_date = "2026-11-01", tax_basis_points = 1900, tax_label = "VAT" }
[[alerts.channels]]
name = "ops"
kind = "slack"
url = "${hooks.url}/ops"
[[alerts.channels]]
name = "chat"
kind = "slack"
url = "${hooks.url}/chat"
[[issuers]]
url = "${login.issuer}"
audiences = ["${kAudience}"]
scopes = []
dashboard_client_id = "vivavoce-dashboard"
` });
  front = process.env.ADMIN_PAGES ? await serveFrom(process.env.ADMIN_PAGES) : broker.url;
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
  hooks?.stop();
  frontServer?.close();
  frontServer?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

export async function ask(method, path, body, bearer = broker.key) {
  const answer = await fetch(`${broker.url}${path}`, { method, body: body && JSON.stringify(body),
    headers: { Authorization: `Bearer ${bearer}`, ...(body && { 'Content-Type': 'application/json' }) } });
  return { status: answer.status, json: await answer.json() };
}

export const keyOf = (subject) => `2:${login.issuer.length}:${login.issuer}:${subject}`;

/** Somebody who talks through the relay until they are cut off; `end` is the close code then. */
export async function talker(subject, projectId, words = 'What time is it?') {
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
  socket.send(JSON.stringify({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: words }] } }));
  socket.send(JSON.stringify({ type: 'response.create' }));
  await done;
  return { end, sessionId: json.sessionId };
}

/** Somebody who asks for too much, until they are blocked. */
export async function pester(subject) {
  const token = await login.token(subject);
  for (let i = 0; i < 8; ++i) await ask('POST', '/api/voice/session', { projectId: 'band' }, token);
}

/** Projects, people who talk, and a month in the ledger. */
async function fillBroker() {
  for (const [id, policy] of [['choir', { transcripts: true, projectDollarsPerMonth: 40, projectMinutesPerDay: 600, userDollarsPerDay: 5 }], ['band', { projectDollarsPerDay: 20 }], ['trio', {}]]) {
    assert.equal((await ask('POST', '/api/admin/projects', { id, policy })).status, 200);
    for (const user of ['grace', 'joan', 'linus', 'edsger']) assert.equal((await ask('POST', '/api/admin/projects/members/add', { project: id, user: keyOf(user) })).status, 200);
  }
  const database = new DatabaseSync(broker.database);
  database.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
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
  // A month that is over, of somebody who is nowhere else.
  const [year, month] = lastMonth().split('-').map(Number);
  row.run(Math.floor(Date.UTC(year, month - 1, 15) / 86_400_000), keyOf('clara'), login.issuer, 'clara', 'choir', 'openai', 'gpt-realtime', 4, 960_000, 36, 3200, 2000, 9600, 14_400, 1_234_500_000);
  database.exec('COMMIT');
  database.close();
}

/** "2026-10": the month before this one. */
export function lastMonth() {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
}

/** So many projects that nobody is a member of, "crowd-0001" and so on; without any they are gone. */
export function fillProjects(many) {
  const database = new DatabaseSync(broker.database);
  database.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
  database.exec('DELETE FROM projects WHERE id LIKE \'crowd-%\'');
  const row = database.prepare('INSERT INTO projects (id, policy, created_at) VALUES (?, \'{}\', ?)');
  for (let i = 1; i <= many; ++i) row.run(`crowd-${String(i).padStart(4, '0')}`, Date.now());
  database.exec('COMMIT');
  database.close();
}

/** So many conversations of somebody, of two lines each, that are kept. */
export function fillTranscripts(subject, project, many) {
  const database = new DatabaseSync(broker.database);
  database.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
  const head = database.prepare(`INSERT INTO transcripts (session, project, caller, issuer, subject, model, started_at, last_at, forget_at, line_count, bytes, is_whole)
    VALUES (?, ?, ?, ?, ?, 'gpt-realtime', ?, ?, ?, 2, 20, 1)`);
  const line = database.prepare('INSERT INTO transcript_lines (session, begun, place, speaker, extent, at, size, text, folded) VALUES (?, ?, ?, ?, \'whole\', ?, 10, ?, ?)');
  const now = Date.now();
  for (let i = 0; i < many; ++i) {
    const session = `voice_1700000000_${String(i).padStart(6, '0')}`;
    head.run(session, project, keyOf(subject), login.issuer, subject, now, now, now + 86_400_000);
    for (const [place, speaker] of ['user', 'assistant'].entries()) line.run(session, now, place, speaker, now, `number ${i}`, `number ${i}`);
  }
  database.exec('COMMIT');
  database.close();
}

/** Until it holds; the test's deadline is its own. */
export async function until(what, holds) {
  const end = Date.now() + 20_000;
  for (;;) {
    // While a page goes to another one there is nobody to ask.
    const found = await holds().catch((error) => { if (!/context was destroyed/.test(error.message)) throw error; });
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${what}; the page says: ${await seen?.()}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

/** A page of the dashboard; what it complained of is in `complaints`. */
export async function openPage({ path = '/admin', width = 1200, height = 900, scheme = 'light', zone, at = front } = {}) {
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
  if (zone) await page.emulateTimezone(zone);
  await page.goto(at + path);
  page.text = () => page.evaluate(() => document.body.innerText);
  seen = async () => `${await page.text()}\n${page.complaints.join("\n")}`;
  page.sees = (text) => until(`"${text}" on the page`, async () => (await page.text()).includes(text));
  page.misses = (text) => until(`no "${text}" on the page`, async () => !(await page.text()).includes(text));
  page.press = async (name, role = 'button') => {
    // Once it stands still.
    await page.locator(`::-p-aria([name="${name}"][role="${role}"])`).setTimeout(20_000).click();
  };
  page.go = async (section, title) => {
    // Its name may go on with what is wrong there.
    await until(`the link to ${section}`, () => page.evaluate((name) => {
      const link = [...document.querySelectorAll('nav a')].find((one) => one.textContent === name || one.textContent.startsWith(`${name} `));
      link?.click();
      return Boolean(link);
    }, section));
    await until(title, () => page.evaluate((wanted) => document.querySelector('h1')?.textContent === wanted, title));
  };
  return page;
}

export async function signInWith(page, token) {
  const input = await until('the field', () => page.$('input[type=password]'));
  // As from a clipboard: hundreds of letters take their time.
  await input.evaluate((field, text) => { field.value = text; }, token);
  await page.press('Sign in');
}

export async function signedIn(options) {
  const page = await openPage(options);
  await signInWith(page, broker.key);
  await page.sees('Live sessions');
  return page;
}

/** Nothing of a token is anywhere but in memory. */
export async function checkKeepsNothing(page, ...secrets) {
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, document.documentElement.outerHTML]));
  for (const secret of secrets) assert.ok(!kept.includes(secret), 'a secret is kept');
  assert.ok(kept.startsWith('[{},{},""'), kept.slice(0, 200));
}

export async function close(page) {
  assert.deepEqual(page.complaints, []);
  await page.browserContext().close();
}
