// The real vivavoce-cli with a server on the official SDK of the Model Context Protocol, and with one that babbles.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'vivavoce-mcp-'));
after(() => rmSync(folder, { recursive: true }));

/** The events of a conversation with these servers, by type. */
async function talk(mcpServers, words, ...options) {
  const file = join(folder, 'mcp.json');
  writeFileSync(file, JSON.stringify({ mcpServers }));
  const child = spawn(join(process.env.VV_BIN_DIR, 'vivavoce-cli'), ['talk', '--mcp', file, '--text', words, '--timeout', '50', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, VV_TEST_SECRET: 'of ours' },
  });
  let output = '';
  child.stdout.on('data', (bytes) => { output += bytes; });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  const events = output.trim().split('\n').map((line) => JSON.parse(line));
  return { code, of: (type) => events.filter((event) => event.type === type) };
}

const weather = { command: process.execPath, args: [fileURLToPath(new URL('mcp_weather.mjs', import.meta.url))] };

test('the functions of a server on the official SDK are listed, called and answered', async () => {
  const { code, of } = await talk({ weather }, 'what is the weather in london', '--approve', 'always');
  assert.equal(code, 0);
  assert.deepEqual(of('mcp').map(({ server, event, tools }) => ({ server, event, tools })), [{ server: 'weather', event: 'ready', tools: 2 }]);
  const [asked, called, answered] = ['asked', 'called', 'answered'].map((event) => of('tool').find((one) => one.event === event));
  assert.equal(asked.source, 'weather');
  assert.equal(called.name, 'weather__get_weather');
  const output = JSON.parse(answered.output);
  assert.equal(output.condition, 'sunny');
  assert.equal(output.city.toLowerCase(), 'london');
  assert.equal(output.secret, 'none', 'our environment is not theirs');
  assert.match(of('transcript').filter((line) => line.role === 'assistant').at(-1).text, /sunny/i);
});

test('nobody at a terminal is nobody who allows it', async () => {
  const { code, of } = await talk({ weather }, 'what is the weather in london');
  assert.equal(code, 0);
  assert.deepEqual(of('tool').filter((one) => one.event === 'failed').map((one) => one.code), ['tool.denied']);
});

test('a server that babbles, and one that is not there, are told and left out', async () => {
  const babbler = { command: process.execPath, args: ['-e', 'console.log("Server is running"); setTimeout(() => {}, 60000)'] };
  const { code, of } = await talk({ babbler, missing: { command: '/no/such/program' } }, 'what is two plus two');
  assert.equal(code, 0);
  assert.deepEqual(of('mcp').map(({ server, event }) => `${server} ${event}`).sort(), ['babbler failed', 'missing failed']);
  assert.equal(of('summary')[0].turns, 1);
});
