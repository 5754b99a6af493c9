// Somebody looks after a busy broker with its dashboard, in a real Chromium: signs in, watches, ends a session, lifts a block, changes a budget,
// saves a table.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, broker, checkKeepsNothing, close, fillTranscripts, folder, keyOf, login, openPage, pester, signInWith, signedIn, skip, talker, until } from './admin_world.mjs';
import { within } from './offline_agent.mjs';

test('a token opens it only where it is an admin\'s, and stays in memory', { skip }, async () => {
  const page = await openPage();
  await page.sees('Sign in');
  await signInWith(page, 'nonsense');
  await page.sees('invalid_token');
  // Whoever holds a session may read what they said; this one may not.
  const users = await login.token('grace', 'voice:mint');
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
  await page.sees('The command line\'s trail: has no lines');
  // Nor is it said that there never were any.
  const bare = await page.$$eval('.state', (states) => states.filter((state) => state.innerText.includes('has no lines')).map((state) => [state.className, state.innerText]));
  assert.equal(bare.length, 1);
  assert.equal(bare[0][0], 'state unknown');
  assert.match(bare[0][1], /has no lines \([^()]*\)\.$/);
  await close(page);
});

test('a block is lifted', { skip }, async () => {
  await pester('joan');
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

test('what somebody else has changed meanwhile is shown, and neither change is lost', { skip }, async () => {
  const policyOf = async () => (await ask('GET', '/api/admin/projects?id=band')).json.projects[0].policy;
  const page = await signedIn();
  await page.go('Budgets', 'Budgets and projects');
  await page.press('Change band');
  await (await until('the field', () => page.$('::-p-aria([name="Sessions at the same time"])'))).type('70');
  assert.equal((await ask('POST', '/api/admin/projects', { id: 'band', policy: { projectDollarsPerDay: 20, longestSession: 900 } })).status, 200);
  await page.press('Save');
  await page.sees('band was changed by somebody else meanwhile');
  assert.deepEqual(await policyOf(), { projectDollarsPerDay: 20, longestSession: 900 });
  await page.press('Put my changes into it');
  await page.press('Save');
  await page.sees('band is changed.');
  assert.deepEqual(await policyOf(), { projectDollarsPerDay: 20, longestSession: 900, sessionsOfProject: 70 });
  assert.equal((await ask('POST', '/api/admin/projects', { id: 'band', policy: { projectDollarsPerDay: 20 } })).status, 200);
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

test('what was said is searched, read, saved and deleted', { skip }, async () => {
  const { sessionId } = await talker('linus', 'choir', 'Zażółć 100% GĘŚLĄ jaźń');
  await talker('linus', 'band', 'Nobody keeps this.');
  const ofLinus = async () => (await ask('GET', `/api/voice/transcripts?user=${encodeURIComponent(keyOf('linus'))}`)).json.transcripts;
  await until('it is kept', async () => (await ofLinus()).length === 1);
  const page = await signedIn();
  const session = await page.createCDPSession();
  const downloads = mkdtempSync(join(folder, 'said-'));
  await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads, browserContextId: page.browserContext().id });
  await page.go('Transcripts', 'Transcripts');
  // By keyboard alone, in another case, and what would be a wildcard.
  await (await until('the field', () => page.$('input[type=search]'))).type('100% gęślą');
  await page.keyboard.press('Enter');
  await page.sees('One transcript.');
  await page.sees('Zażółć 100% GĘŚLĄ jaźń');
  await (await page.$('tbody button')).click();
  await until('the conversation', () => page.evaluate(() => document.querySelectorAll('.sayings li.assistant').length > 0));
  await until('its heading has the keyboard', () => page.evaluate(() => document.activeElement.tagName === 'H2'));
  const saved = await page.$$('::-p-aria([name="Save as Text"][role="button"])');
  await saved.at(-1).click();
  const [name] = await until('the file', async () => { const files = readdirSync(downloads).filter((file) => file.endsWith('.txt')); return files.length && files; });
  assert.equal(name, `${sessionId}.txt`);
  assert.match(readFileSync(join(downloads, name), 'utf8'), /Z user: Zażółć 100% GĘŚLĄ jaźń\n.* assistant: /);
  await (await page.$('tbody button.danger')).click();
  await page.sees('is gone for good');
  await page.press('Cancel');
  assert.equal((await ofLinus()).length, 1);
  await (await page.$('tbody button.danger')).click();
  await page.press('Delete it');
  await page.sees('The transcript is deleted.');
  assert.equal((await ofLinus()).length, 0);
  await page.go('Audit', 'Audit');
  for (const event of ['transcript.read', 'transcript.export', 'transcript.remove']) await page.sees(event);
  assert.ok(!(await page.text()).includes('GĘŚLĄ') && !(await page.text()).toLowerCase().includes('gęślą'));
  await close(page);
});

test('all of what was said is saved, as the form asks for it', { skip }, async () => {
  fillTranscripts('edsger', 'trio', 230);
  const page = await signedIn();
  const session = await page.createCDPSession();
  const downloads = mkdtempSync(join(folder, 'all-'));
  await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads, browserContextId: page.browserContext().id });
  await page.go('Transcripts', 'Transcripts');
  const saved = async (word, ending) => {
    await page.press(`Save as ${word}`);
    await until(`the ${word}`, async () => readdirSync(downloads).includes(`transcripts.${ending}`));
    return readFileSync(join(downloads, `transcripts.${ending}`), 'utf8');
  };
  // Filled in, and not searched for.
  await (await until('the field', () => page.$('::-p-aria([name="Project"][role="textbox"])'))).type('trio');
  const rows = (await saved('CSV', 'csv')).split('\r\n');
  assert.equal(rows.filter((row) => row.startsWith('session,')).length, 1);
  assert.equal(rows.length, 1 + 460 + 1);
  assert.equal(new Set(rows.slice(1, -1).map((row) => row.split(',')[0])).size, 230);
  assert.ok(rows.slice(1, -1).every((row) => row.includes(',trio,')));
  const text = await saved('Text', 'txt');
  assert.equal(text.match(/^Session /gm).length, 230);
  assert.equal(text.match(/\n\nSession /g).length, 229);
  const { transcripts } = JSON.parse(await saved('JSON', 'json'));
  assert.equal(new Set(transcripts.map(({ sessionId }) => sessionId)).size, 230);
  assert.equal(transcripts.at(-1).lines[1].text, 'number 0');
  await page.sees('The transcripts are saved as a file.');
  await page.misses('There is more than one file takes');
  await close(page);
});
