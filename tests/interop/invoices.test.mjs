// Pages to print in a real Chromium: the policy lets their style in and nothing else, and what comes out as PDF has pages.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { startBroker } from './real_broker.mjs';

const chromium = [process.env.CHROMIUM, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser',
  '/usr/bin/headless_shell', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));
if (!chromium) console.error('invoices.test.mjs: NO CHROMIUM HERE, pages to print are NOT tested (Debian: chromium-headless-shell)');
const skip = chromium ? false : 'there is no Chromium here';
/** Where pictures and PDFs are left for somebody to look at; nowhere else than in a test's own folder otherwise. */
const shown = process.env.VV_PICTURES;

let broker, browser, profile, month;
before(async () => {
  if (skip) return;
  broker = await startBroker({ limits: 'mints_per_minute = 100, refreshes_per_minute = 1000, sessions_per_user = 100', more:
    'invoices = { issuer = ["Example & Sons Ltd", "1 Example Street"], number_prefix = "VV-", currency = "EUR", rate = "0.92", rate_date = "2026-11-01", tax_basis_points = 2000, tax_label = "USt.", note = ["To be paid within 14 days."] }\n' +
    // With a prices file the stand-in on this computer costs something, too.
    `usage = { prices_file = "${resolve('../../resources/prices/prices.json')}" }` });
  profile = mkdtempSync(join(tmpdir(), 'vivavoce-chromium-'));
  browser = await puppeteer.launch({ executablePath: chromium, headless: true, userDataDir: profile,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server', '--disable-background-networking'] });
  month = new Date().toISOString().slice(0, 7);
  await use();
});
after(async () => {
  if (skip) return;
  await browser?.close();
  await broker?.stop();
  rmSync(profile, { recursive: true, force: true });
});

const headers = () => ({ Authorization: `Bearer ${broker.key}` });
async function ask(method, path, body) {
  const answer = await fetch(broker.url + path, { method, body: body && JSON.stringify(body),
    headers: { ...headers(), ...(body && { 'Content-Type': 'application/json' }) } });
  assert.equal(answer.status, 200, `${method} ${path}: ${await answer.clone().text()}`);
  return answer.json();
}

/** A session that its client tells of. */
async function use() {
  const { sessionId } = await ask('POST', '/api/voice-agent/token', { projectId: 'choir' });
  const event = (id, audio) => JSON.stringify({ type: 'response.done', event_id: `event_${id}`, response: { object: 'realtime.response', id: `resp_${id}`, status: 'completed',
    output: [], usage: { total_tokens: 300 + audio, input_tokens: 300, output_tokens: audio, input_token_details: { text_tokens: 100, audio_tokens: 200, cached_tokens: 0 }, output_token_details: { text_tokens: 0, audio_tokens: audio } } } });
  await ask('POST', '/api/voice/usage', { sessionId, connectedMs: 1, toolCalls: 0, events: [event('a', 1234), event('b', 567)].map((text) => JSON.parse(text)) });
}

/** A page of the broker's as an admin's browser shows it, with what it complained of. */
async function open(path) {
  const page = await browser.newPage();
  const complaints = [];
  // Chromium says of features that it does not know that it does not.
  page.on('console', (message) => message.text().includes('Permissions-Policy') || complaints.push(message.text()));
  page.on('requestfailed', (request) => complaints.push(request.url()));
  await page.setExtraHTTPHeaders(headers());
  await page.setViewport({ width: 900, height: 1200 });
  const answer = await page.goto(broker.url + path, { waitUntil: 'networkidle0' });
  assert.equal(answer.status(), 200);
  return { page, complaints };
}

async function print(page, name) {
  const pdf = Buffer.from(await page.pdf({ preferCSSPageSize: true, printBackground: true }));
  if (shown) {
    mkdirSync(shown, { recursive: true });
    writeFileSync(join(shown, `${name}.pdf`), pdf);
    await page.screenshot({ path: join(shown, `${name}.png`), fullPage: true });
  }
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  return pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0;
}

test('an invoice is shown in its style, says what JSON says, and prints on one page', { skip }, async () => {
  const path = `/api/admin/invoices/preview?project=choir&month=${month}`;
  const invoice = await ask('GET', path);
  assert.ok(invoice.nanoDollars > 0);
  assert.equal(invoice.lines.reduce((sum, line) => sum + line.nanoDollars, 0), invoice.nanoDollars);
  const { page, complaints } = await open(`${path}&format=html`);
  assert.deepEqual(complaints, []);
  const look = await page.evaluate(() => ({
    text: document.body.innerText,
    amounts: [...document.querySelectorAll('.lines tbody td:last-child')].map((cell) => cell.innerText),
    align: getComputedStyle(document.querySelector('.lines .number')).textAlign,
    inline: document.querySelectorAll('[style], style, script').length,
    wide: document.documentElement.scrollWidth <= document.documentElement.clientWidth,
  }));
  assert.equal(look.align, 'right');
  assert.equal(look.inline, 0);
  assert.ok(look.wide);
  for (const wanted of ['Example & Sons Ltd', 'choir', `EUR ${(invoice.total / 100).toFixed(2)}`, 'USt. 20 %', 'This is no invoice']) assert.ok(look.text.includes(wanted), wanted);
  const nano = look.amounts.reduce((sum, text) => sum + BigInt(text.replace('.', '')), 0n);
  assert.equal(nano, BigInt(invoice.nanoDollars));
  assert.equal(await print(page, 'invoice'), 1);
  await page.setViewport({ width: 390, height: 800, isMobile: true });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 390));
  if (shown) await page.screenshot({ path: join(shown, 'invoice-phone.png'), fullPage: true });
  await page.close();
});

test('a policy keeps out what is not of the page', { skip }, async () => {
  const { page, complaints } = await open(`/api/admin/invoices/preview?project=choir&month=${month}&format=html`);
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    return window.ran === true;
  });
  assert.equal(ran, false);
  assert.ok(complaints.some((text) => text.includes('Content Security Policy')));
  await page.close();
});

test('the program asks the broker, and its page is whole by itself', { skip }, async () => {
  const run = (...words) => execFileSync(join(process.env.VV_BIN_DIR, 'vivavoce-broker'), [...words, '--broker', broker.url],
    { encoding: 'utf8', env: { ...process.env, VIVAVOCE_ADMIN_KEY: broker.key } });
  assert.ok(JSON.parse(run('invoice', 'preview', 'choir', month)).nanoDollars > 0);
  assert.deepEqual(JSON.parse(run('invoice', 'list')).invoices, []);
  assert.match(run('report', month, '--format', 'csv'), /^project,month,user,/);
  assert.throws(() => run('invoice', 'issue', 'choir', month), (error) => error.status === 2 && error.stderr.includes('the month is not over'));
  assert.throws(() => run('invoice', 'show'), (error) => error.status === 2);
  const file = join(profile, 'invoice.html');
  writeFileSync(file, run('invoice', 'preview', 'choir', month, '--format', 'html'));
  const page = await browser.newPage();
  await page.goto(`file://${file}`);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('.lines .number')).textAlign), 'right');
  await page.close();
});

test('a report of the month prints', { skip }, async () => {
  const report = await ask('GET', `/api/admin/reports/${month}`);
  assert.equal(report.projects[0].project, 'choir');
  const { page, complaints } = await open(`/api/admin/reports/${month}?format=html`);
  assert.deepEqual(complaints, []);
  assert.ok(await print(page, 'report') >= 1);
  await page.close();
});
