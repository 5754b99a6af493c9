// What the broker says of itself is true: each answer is what /openapi.json promises, by ajv.
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { startBroker } from './real_broker.mjs';

let running, broker, key, ajv, document;
before(async () => {
  running = await startBroker({ limits: 'mints_per_minute = 3, violations_to_block = 2', more: `projects = { check = "table" }
invoices = { issuer = ["Example Ltd"], number_prefix = "VV-" }
[[issuers]]
url = "https://login.example"
audiences = ["https://voice.example"]
scopes = ["voice:session"]
app_client_id = "vivavoce-app"` });
  ({ url: broker, key } = running);
  document = await (await fetch(`${broker}/openapi.json`)).json();
  ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  ajv.addSchema({ $id: 'openapi', ...document });
});
after(() => running.stop());

/** Asks, and holds the answer against what the description promises for that status. */
async function ask(method, path, { body, bearer = key, type = 'application/json' } = {}) {
  const answer = await fetch(broker + path, { method, body,
    headers: { ...(bearer && { Authorization: `Bearer ${bearer}` }), ...(body && { 'Content-Type': type }) } });
  const template = Object.keys(document.paths).find((known) => new RegExp(`^${known.replace(/\{.*\}/, '[^/]+')}$`).test(path.split('?')[0]));
  const promised = document.paths[template][method.toLowerCase()].responses;
  const at = [String(answer.status), `${Math.trunc(answer.status / 100)}XX`].find((status) => status in promised);
  assert.ok(at, `${method} ${path}: ${answer.status} is not promised`);
  const ref = promised[at].$ref;
  const content = (ref ? document.components.responses[ref.split('/').at(-1)] : promised[at]).content;
  const [mime] = Object.keys(content);
  assert.ok(answer.headers.get('content-type').startsWith(mime), answer.headers.get('content-type'));
  const json = mime.endsWith('json') ? await answer.json() : await answer.text();
  const where = ref ? ref.slice(2) : `paths/${template.replace(/\//g, '~1')}/${method.toLowerCase()}/responses/${at}`;
  const validate = ajv.getSchema(`openapi#/${encodeURI(where)}/content/${mime.replace('/', '~1').replace('+', '%2B')}/schema`);
  assert.ok(validate, where);
  assert.ok(validate(json), `${method} ${path} ${answer.status}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(json)}`);
  return { status: answer.status, json };
}

/** A session of that month, which is over. */
function useIn(month, project) {
  const database = new DatabaseSync(running.database);
  database.prepare(`INSERT INTO usage_days (day, caller, issuer, subject, project, provider, model, transport, sessions, connected_ms, audio_in_ms, audio_out_ms, turns,
    tool_calls, text_in, cached_text_in, text_out, audio_in, cached_audio_in, audio_out, image_in, cached_image_in, transcribed_ms, transcription_tokens, nano_dollars, unpriced)
    VALUES (?, 'a', 'i', 'a', ?, 'openai', 'gpt-realtime', 'relay', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`).run(Date.parse(`${month}-01`) / 86_400_000, project);
  database.close();
}

const kMint = '/api/voice-agent/token';

test('every answer is as the description promises', async () => {
  const { json: token } = await ask('POST', kMint, { body: '{"clientInstance":"one"}' });
  assert.equal((await ask('POST', '/api/voice-agent/refresh-token', { body: '{}', bearer: token.token })).status, 401);
  assert.equal((await ask('POST', '/api/voice-agent/refresh-token', { body: '{"clientInstance":"one"}', bearer: token.token })).status, 200);
  const projects = '/api/admin/projects';
  const member = JSON.stringify({ project: 'choir', user: '1:0::tester' });
  assert.equal((await ask('POST', '/api/voice/session', { body: '{"projectId":"choir"}' })).status, 403);
  assert.equal((await ask('POST', projects, { body: '{"id":"choir","policy":{"models":["a"],"longestSession":60,"sessionsOfProject":5}}' })).json.created, true);
  assert.equal((await ask('POST', projects, { body: '{"id":"choir","policy":{"models":1}}' })).status, 400);
  assert.equal((await ask('POST', `${projects}/members/add`, { body: member })).json.changed, true);
  assert.deepEqual((await ask('GET', `${projects}/members?project=choir`)).json.members, ['1:0::tester']);
  assert.equal((await ask('GET', `${projects}/members?project=none`)).status, 404);
  const [choir] = (await ask('GET', projects)).json.projects;
  assert.equal(choir.members, 1);
  const renewed = { id: 'choir', policy: choir.policy, revision: choir.revision };
  assert.equal((await ask('POST', projects, { body: JSON.stringify(renewed) })).json.revision, choir.revision);
  assert.equal((await ask('POST', projects, { body: JSON.stringify({ ...renewed, revision: null }) })).json.code, 'project_changed');
  assert.deepEqual((await ask('GET', `${projects}?id=choir`)).json.projects, [choir]);
  assert.equal((await ask('GET', '/api/admin/budgets')).json.budgets[0].project, 'choir');
  assert.ok([59, 60].includes((await ask('POST', '/api/voice/session', { body: '{"projectId":"choir"}' })).json.limits.maxSessionSeconds));
  assert.equal((await ask('GET', '/api/voice/session')).json.sessions.length, 2);
  assert.equal((await ask('GET', '/api/admin/sessions')).json.sessions.length, 2);
  assert.equal((await ask('GET', '/api/admin/sessions?limit=0')).status, 400);
  assert.equal((await ask('GET', '/api/admin/overview')).json.sessions.most > 0, true);
  assert.equal((await ask('GET', '/api/admin/audit?limit=2')).json.lines.length, 2);
  assert.equal((await ask('GET', '/api/admin/audit?chain=command-line')).json.lines.length, 0);
  assert.ok(['running', 'whole'].includes((await ask('POST', '/api/admin/audit/verify')).json.verification.state));
  assert.equal((await ask('GET', '/api/admin/budgets?by=user')).status, 200);
  assert.deepEqual((await ask('GET', '/api/admin/sign-in', { bearer: null })).json.issuers, []);
  assert.equal((await ask('GET', '/api/admin/overview', { bearer: '' })).status, 401);
  const admin = JSON.stringify({ ...JSON.parse(member), role: 'admin' });
  assert.equal((await ask('POST', `${projects}/members/add`, { body: admin })).json.changed, true);
  assert.deepEqual((await ask('GET', `${projects}/members?project=choir`)).json.admins, ['1:0::tester']);
  assert.deepEqual((await ask('GET', '/api/voice/transcripts?text=x')).json.transcripts, []);
  assert.equal((await ask('GET', '/api/voice/transcripts/voice_1_x')).status, 404);
  assert.equal((await ask('DELETE', '/api/voice/transcripts/voice_1_x')).status, 404);
  assert.equal((await ask('DELETE', '/api/voice/transcripts?user=me')).json.removed, 0);
  assert.equal((await ask('DELETE', '/api/voice/transcripts')).status, 400);
  assert.equal((await ask('POST', `${projects}/members/remove`, { body: member })).json.changed, true);
  assert.equal((await ask('POST', `${projects}/remove`, { body: '{"id":"choir"}' })).json.ended, 1);
  assert.equal((await ask('GET', projects)).json.projects.length, 0);
  assert.equal((await ask('DELETE', `/api/voice/session/${token.sessionId}`)).status, 200);
  assert.equal((await ask('DELETE', `/api/voice/session/${token.sessionId}`)).status, 404);
  assert.equal((await ask('POST', kMint, { body: '{' })).status, 400);
  const place = await ask('GET', '/.well-known/oauth-protected-resource', { bearer: null });
  assert.deepEqual(place.json.vivavoce_sign_in, [
    { issuer: 'https://login.example', client_id: 'vivavoce-app', scope: 'voice:mint', resource: 'https://voice.example' }]);
  assert.equal((await ask('POST', kMint, { body: '{"surprise":1}' })).status, 400);
  for (const wanted of [429, 429, 429, 429]) assert.equal((await ask('POST', kMint, { body: '{}' })).status, wanted);
  const { json: listed } = await ask('GET', '/api/admin/blocks');
  assert.equal(listed.blocks.length, 1);
  assert.equal((await ask('POST', '/api/admin/blocks/lift', { body: JSON.stringify({ user: listed.blocks[0].user }) })).json.lifted, true);
  assert.equal((await ask('POST', '/api/admin/sessions/revoke', { body: JSON.stringify({ user: listed.blocks[0].user }) })).status, 200);
  assert.equal((await ask('POST', kMint, { body: '{}', bearer: '' })).status, 401);
  assert.equal((await ask('POST', '/api/admin/blocks/lift', { body: 'x', type: 'text/plain' })).status, 415);
  for (const path of ['/api/voice-agent/health', '/healthz', '/readyz', '/openapi.json', '/.well-known/jwks.json']) assert.equal((await ask('GET', path)).status, 200);
  assert.equal((await ask('GET', '/api/admin/alerts')).status, 200);
  assert.equal((await ask('GET', '/api/admin/alerts?limit=0')).status, 400);
  const last = new Date(Date.now() - 40 * 86_400_000).toISOString().slice(0, 7);
  assert.equal((await ask('GET', `/api/admin/reports/${last}`)).json.projects.length, 0);
  assert.equal((await ask('GET', '/api/admin/reports/2026-13')).status, 400);
  const bill = JSON.stringify({ project: 'choir', month: last });
  assert.equal((await ask('POST', '/api/admin/invoices', { body: bill })).status, 404);
  useIn(last, 'choir');
  assert.equal((await ask('POST', '/api/admin/invoices', { body: bill })).json.number, 'VV-000001');
  assert.equal((await ask('POST', '/api/admin/invoices', { body: bill })).json.isNew, false);
  assert.equal((await ask('POST', '/api/admin/invoices', { body: '{}' })).status, 400);
  assert.equal((await ask('GET', '/api/admin/invoices')).json.invoices.length, 1);
  assert.equal((await ask('GET', '/api/admin/invoices/VV-000001')).json.total, 0);
  assert.equal((await ask('GET', '/api/admin/invoices/VV-000002')).status, 404);
  assert.equal((await ask('GET', `/api/admin/invoices/preview?project=choir&month=${last}`)).json.isPreview, true);
  assert.equal((await ask('GET', '/invoice.css', { bearer: '' })).status, 200);
  for (const path of ['/healthz', '/readyz']) {
    const answer = await fetch(broker + path, { method: 'HEAD' });
    assert.ok(String(answer.status) in document.paths[path].head.responses);
    assert.equal(await answer.text(), '');
  }
  assert.match((await ask('GET', '/metrics')).json, /^vivavoce_tokens_minted_total\{transport="direct"\} 1$/m);
  assert.equal((await ask('GET', '/metrics', { bearer: '' })).status, 401);
  assert.equal((await ask('GET', '/api/voice-agent/health', { bearer: '' })).json.services, undefined);
});
