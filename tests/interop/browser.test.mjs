// Pages in a real Chromium call the real broker: CORS is what the browser makes of our headers, not what we think of them.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { startBroker } from './real_broker.mjs';

const chromium = [process.env.CHROMIUM, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser',
  '/usr/bin/headless_shell', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));
if (!chromium) console.error('browser.test.mjs: NO CHROMIUM HERE, cross-origin calls are NOT tested (Debian: chromium-headless-shell)');
const skip = chromium ? false : 'there is no Chromium here';

/** Serves an empty page. */
async function startPages() {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>page</title>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

/** Between browser and broker: tells which requests really came. */
async function startTap(target) {
  const seen = [];
  const server = createServer(async (request, response) => {
    seen.push(request.method);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, 'content-length': _, ...headers } = request.headers;
    const answer = await fetch(target + request.url,
      { method: request.method, headers, body: chunks.length ? Buffer.concat(chunks) : undefined });
    response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([name]) => !/^(connection|content-length|content-encoding|keep-alive)$/.test(name))));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, seen, stop: () => { server.closeAllConnections(); server.close(); } };
}

let allowed, other, broker, tap, browser, profile;
before(async () => {
  if (skip) return;
  [allowed, other] = [await startPages(), await startPages()];
  broker = await startBroker({ more: `allowed_origins = ["${allowed.origin}"]`, limits: 'mints_per_minute = 4, sessions_per_user = 100' });
  tap = await startTap(broker.url);
  profile = mkdtempSync(join(tmpdir(), 'vivavoce-chromium-'));
  // No sandbox: root has none, and the only pages are those above.
  browser = await puppeteer.launch({ executablePath: chromium, headless: true, userDataDir: profile,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server', '--disable-background-networking'] });
});
after(async () => {
  if (skip) return;
  await browser?.close();
  tap?.stop();
  allowed.stop();
  other.stop();
  await broker?.stop();
  rmSync(profile, { recursive: true, force: true });
});

/** What a page of that origin gets to see of an answer; `error` where the browser keeps it from the page. */
async function askFrom(origin, method, path, { bearer = broker.key, headers = {} } = {}) {
  const page = await browser.newPage();
  await page.goto(origin);
  const answer = await page.evaluate(async (url, method, bearer, headers) => {
    try {
      const answer = await fetch(url, { method, body: method === 'POST' ? '{}' : undefined,
        headers: { ...(method === 'POST' && { 'Content-Type': 'application/json' }), ...(bearer && { Authorization: `Bearer ${bearer}` }), ...headers } });
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() };
    } catch (error) {
      return { error: error.name };
    }
  }, tap.url + path, method, bearer, headers);
  await page.close();
  return answer;
}

const kMint = '/api/voice-agent/token';

test('a page of an allowed origin reads the answer and its limits', { skip }, async () => {
  const { status, headers, body } = await askFrom(allowed.origin, 'POST', kMint);
  assert.equal(status, 200);
  assert.match(body.sessionId, /^voice_/);
  assert.match(headers.ratelimit, /^"mint";r=\d+/);
  assert.match(headers['ratelimit-policy'], /^"mint";q=4;w=60/);
  assert.ok(headers['x-request-id']);
});

test('a preflight is asked once, and its answer is kept', { skip }, async () => {
  tap.seen.length = 0;
  // One page, for the browser keeps preflights by page and origin.
  const page = await browser.newPage();
  await page.goto(allowed.origin);
  const statuses = await page.evaluate(async (url) => {
    const seen = [];
    for (let i = 0; i < 3; ++i) seen.push((await fetch(url, { headers: { Authorization: 'Bearer wrong' } })).status);
    return seen;
  }, `${tap.url}/api/admin/blocks`);
  await page.close();
  assert.deepEqual(statuses, [401, 401, 401]);
  assert.deepEqual(tap.seen.filter((method) => method === 'OPTIONS').length, 1);
  assert.deepEqual(tap.seen.filter((method) => method === 'GET').length, 3);
});

test('a page of another origin reads nothing, and mints nothing', { skip }, async () => {
  tap.seen.length = 0;
  assert.deepEqual(await askFrom(other.origin, 'POST', kMint), { error: 'TypeError' });
  // The preflight was refused by the browser: the request itself never left.
  assert.deepEqual(tap.seen, ['OPTIONS']);
  assert.deepEqual(await askFrom(other.origin, 'GET', '/healthz', { bearer: '' }), { error: 'TypeError' });
});

test('methods and headers that we do not name do not leave the browser', { skip }, async () => {
  tap.seen.length = 0;
  assert.deepEqual(await askFrom(allowed.origin, 'PUT', kMint), { error: 'TypeError' });
  assert.deepEqual(await askFrom(allowed.origin, 'POST', kMint, { headers: { 'X-Surprise': '1' } }), { error: 'TypeError' });
  assert.ok(tap.seen.every((method) => method === 'OPTIONS'));
});

test('a page reads why it is refused, and when to come again', { skip }, async () => {
  let answer;
  for (let i = 0; i < 5; ++i) answer = await askFrom(allowed.origin, 'POST', kMint, { headers: { 'Idempotency-Key': `k${i}` } });
  assert.equal(answer.status, 429);
  assert.equal(answer.body.code, 'rate_limited');
  assert.match(answer.headers['retry-after'], /^\d+$/);
  assert.match(answer.headers.ratelimit, /r=0/);
  assert.equal((await askFrom(allowed.origin, 'POST', kMint, { bearer: 'wrong' })).body.code, 'invalid_token');
});
