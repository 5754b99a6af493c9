// Each section of the dashboard, looked at by axe-core: light, dark, and on a phone. ADMIN_SHOTS=/some/folder keeps what was seen.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, broker, close, openPage, pester, signInWith, skip, startBridge, talker, until } from './admin_world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.ADMIN_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const kSections = { Now: 'Now', Usage: 'Usage', Budgets: 'Budgets and projects', Bills: 'Bills', Transcripts: 'Transcripts', Security: 'Security', Alerts: 'Alerts', Health: 'Health', Audit: 'Audit' };
const kLooks = { light: { scheme: 'light' }, dark: { scheme: 'dark' }, phone: { scheme: 'light', width: 360, height: 740 } };

/** Fits, and axe-core finds nothing. */
async function look(page, name) {
  const { wide, there } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, there: innerWidth }));
  assert.ok(wide <= there, `${name} is ${wide} pixels wide on ${there}`);
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  assert.deepEqual(found.violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`), []);
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

for (const [mode, options] of Object.entries(kLooks)) {
  test(`every section can be used by everybody: ${mode}`, { skip }, async () => {
    await talker('edsger', 'choir');
    await pester('joan');
    await until('an alert that does not arrive', async () => (await ask('GET', '/api/admin/alerts')).json.alerts[0]?.deliveries.some(({ reason }) => reason));
    const bridge = await startBridge();
    const page = await openPage({ ...options, at: bridge.url });
    await page.sees('Or with a token');
    await look(page, `sign-in-${mode}`);
    await signInWith(page, broker.key);
    await page.sees('edsger');
    for (const [link, title] of Object.entries(kSections)) {
      await page.go(link, title);
      await until('its content', () => page.evaluate(() => document.querySelectorAll('tbody tr').length > 0));
      await look(page, `${link.toLowerCase()}-${mode}`);
    }
    await page.go('Budgets', 'Budgets and projects');
    await page.press('Change choir');
    await page.sees('Policy of choir');
    await (await page.$('::-p-aria([name="Project, dollars a day"])')).type('0,5');
    await page.press('Save');
    await page.sees('is no plain number');
    await look(page, `policy-${mode}`);
    await page.evaluate(() => { location.hash = '#usage'; });
    await page.sees('Leave without saving?');
    await look(page, `leave-${mode}`);
    await page.press('Leave it');
    await page.go('Transcripts', 'Transcripts');
    await (await until('a transcript', () => page.$('tbody button'))).click();
    await page.sees('What time is it?');
    await look(page, `transcript-${mode}`);
    await page.go('Bills', 'Bills');
    await page.press('Month before');
    await page.press('Issue the invoice of choir');
    await page.sees('numbers are for good');
    await look(page, `issue-${mode}`);
    await page.press('Cancel');
    for (const [link, title] of [['Now', 'Now'], ['Security', 'Security']]) {
      bridge.isUp = true;
      await page.go(link, title);
      await until('it is live', () => page.evaluate(() => document.getElementById('live').textContent === 'Live'));
      await until('its content', () => page.evaluate(() => document.querySelectorAll('tbody tr').length > 0));
      bridge.cut();
      await page.sees('Not live since');
      await page.sees('Last known');
      await look(page, `${link.toLowerCase()}-away-${mode}`);
    }
    bridge.stop();
    await close(page);
  });
}
