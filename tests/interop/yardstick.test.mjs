// What vivavoce-cli, and the window, say to a provider, beside what OpenAI's own client (npm's `@openai/agents-realtime`) says in the same situation. They differ where
// it is listed, with the reason; a difference that is not there, or no longer, fails.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { z } from 'zod';
import { kModel, within } from './offline_agent.mjs';
import { ScriptedProvider, tone } from './scripted_provider.mjs';

const folder = mkdtempSync(join(tmpdir(), 'vivavoce-yardstick-'));
after(() => rmSync(folder, { recursive: true }));
const kInstructions = 'Be brief.';
const kPieceMs = 100;

/** One line for an event: what is the same whoever sends it, without ids of the client's own. */
function told(event) {
  const { type, item } = event;
  if (type === 'conversation.item.create') return `create ${item.type} ${item.role ?? item.call_id} ${item.content?.[0].text ?? item.output}`;
  if (type === 'conversation.item.truncate') return `truncate ${event.item_id} ${event.content_index}`;
  if (type === 'conversation.item.retrieve') return `retrieve ${event.item_id}`;
  return type;
}

/** What vivavoce-cli says. */
async function ours(play, options) {
  const provider = await ScriptedProvider.start(play);
  const child = spawn(join(process.env.VV_BIN_DIR, 'vivavoce-cli'),
    ['talk', '--broker', provider.brokerURL, '--instructions', kInstructions, '--timeout', '40', ...options],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, VIVAVOCE_CREDENTIAL: 'somebody' } });
  let output = '';
  child.stdout.on('data', (bytes) => { output += bytes; });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    await Promise.race([provider.played, ended.then((code) => { throw new Error(`vivavoce-cli ended with ${code}: ${output.slice(-600)}`); })]);
    const code = await within(20_000, 'the end of vivavoce-cli', ended);
    assert.equal(code, 0, output.slice(-600));
  } finally {
    child.kill();
    provider.stop();
  }
  return provider.heard;
}

/** What the window says, with somebody at it who does these steps (tests/integration/window_driver.cpp). */
const driver = join(process.env.VV_BIN_DIR, '..', 'tests', 'driver');
async function oursInWindow(play, steps) {
  const provider = await ScriptedProvider.start(play);
  const home = mkdtempSync(join(folder, 'home-'));
  mkdirSync(join(home, 'vivavoce'));
  writeFileSync(join(home, 'vivavoce', 'vivavoce.ini'), `[General]\nprofile=broker\n[broker]\nurl=${provider.brokerURL}\n`);
  const places = Object.fromEntries(['HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR'].map((name) => [name, home]));
  const child = spawn(join(process.env.VV_BIN_DIR, 'vivavoce'), [], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, ...places, VIVAVOCE_CREDENTIAL: 'somebody', QT_QPA_PLATFORM: 'offscreen', QT_QUICK_BACKEND: 'software',
      QT_QPA_GENERIC_PLUGINS: 'vivavoce-driver', QT_PLUGIN_PATH: driver } });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.write(steps.map((step) => `${step}\n`).join(''));
  try {
    await Promise.race([provider.played, ended.then((code) => { throw new Error(`vivavoce ended with ${code}`); })]);
  } finally {
    child.kill();
    await within(10_000, 'the end of vivavoce', ended);
    provider.stop();
  }
  return provider.heard;
}

/** What the SDK's session says, its settings made those of ours. `during` is what the application does when there is sound of a reply. */
async function theirs(play, { tools = [], isSpoken = false, words, during } = {}) {
  const provider = await ScriptedProvider.start(play);
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Voice', instructions: kInstructions, tools }), {
    model: kModel,
    transport: new OpenAIRealtimeWebSocket({ url: provider.socketURL }),
    config: { audio: { input: { transcription: { model: 'gpt-live-transcribe' },
      turnDetection: { type: 'server_vad', threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500, createResponse: true, interruptResponse: true } } } },
    tracingDisabled: true,
  });
  const errors = [];
  session.on('error', (error) => errors.push(error));
  if (during) session.once('audio', () => during(session));
  let microphone;
  try {
    await session.connect({ apiKey: 'any-key', url: provider.socketURL });
    if (words) session.sendMessage(words);
    const piece = tone(kPieceMs);
    if (isSpoken) microphone = setInterval(() => session.sendAudio(piece.buffer.slice(0, piece.length)), kPieceMs);
    await provider.played;
    assert.deepEqual(errors, []);
  } finally {
    clearInterval(microphone);
    session.close();
    provider.stop();
  }
  return provider.heard;
}

/** Both sides without what they are known to differ in. `more` are lines that only one of them says, with why; each has to be there. */
function compare(ourEvents, theirEvents, { ours: ourMore = [], theirs: theirMore = [] }) {
  const without = (events, more, who) => {
    const lines = events.filter(({ type }) => type !== 'session.update').map(told);
    for (const { line, why } of more) {
      assert.ok(why);
      const at = lines.indexOf(line);
      assert.notEqual(at, -1, `${who} no longer say "${line}": ${lines.join(', ')}`);
      lines.splice(at, 1);
    }
    return lines;
  };
  assert.deepEqual(without(ourEvents, ourMore, 'we'), without(theirEvents, theirMore, 'they'));
}

/** All settings that were sent, later ones over earlier ones: "audio.input.format.type" and so on. */
function settings(events) {
  const flat = {};
  const add = (value, path) => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) add(inner, path ? `${path}.${key}` : key);
    } else {
      flat[path] = value;
    }
  };
  for (const { session } of events.filter(({ type }) => type === 'session.update')) add(session, '');
  return flat;
}

/** A recording of 0.9 s: 16-bit mono at 24 kHz. */
function wav() {
  const sound = tone(900);
  const head = Buffer.from(`RIFF${'.'.repeat(4)}WAVEfmt ${'.'.repeat(20)}data${'.'.repeat(4)}`, 'latin1');
  for (const [value, at] of [[36 + sound.length, 4], [16, 16], [24_000, 24], [48_000, 28], [sound.length, 40]]) head.writeUInt32LE(value, at);
  for (const [value, at] of [[1, 20], [1, 22], [2, 32], [16, 34]]) head.writeUInt16LE(value, at);
  const file = join(folder, 'spoken.wav');
  writeFileSync(file, Buffer.concat([head, sound]));
  return file;
}

const kRetrieves = 'it reads the item anew where we go by the event, which has the words in it';

async function typed(provider) {
  await provider.until('response.create');
  provider.begin(1, 200);
  provider.end(1);
}

test('the settings of a session', async () => {
  const [we, they] = [settings(await ours(typed, ['--text', 'hello'])), settings(await theirs(typed, { words: 'hello' }))];
  const kOnlyTheirs = {
    model: 'the address names it, and the token is for that one alone', 'audio.input.noise_reduction': 'off is the default',
    'audio.output.speed': 'the default', tracing: 'theirs alone, and off here',
  };
  for (const [key, why] of Object.entries(kOnlyTheirs)) assert.ok(why && key in they && !(key in we), `${key} is no longer theirs alone`);
  for (const key of new Set([...Object.keys(we), ...Object.keys(they)])) {
    if (!(key in kOnlyTheirs)) assert.deepEqual(we[key], they[key], key);
  }
});

test('typed words', async () => {
  compare(await ours(typed, ['--text', 'hello']), await theirs(typed, { words: 'hello' }), {});
});

test('a spoken turn', async () => {
  const play = async (provider) => {
    await provider.turn('item_u');
    provider.begin(1, 200);
    provider.end(1);
  };
  compare(await ours(play, ['--in', wav()]), await theirs(play, { isSpoken: true }), { theirs: [{ line: 'retrieve item_u', why: kRetrieves }] });
});

test('speaking over a reply', async () => {
  const kReplyMs = 5000;
  const play = async (provider) => {
    await provider.turn('item_u');
    provider.begin(1, kReplyMs);
    await provider.sound(600);
    provider.say('input_audio_buffer.speech_started', { item_id: 'item_v', audio_start_ms: 1500 });
    const truncate = await provider.until('conversation.item.truncate');
    assert.ok(truncate.audio_end_ms > 100 && truncate.audio_end_ms < kReplyMs, `${truncate.audio_end_ms} ms heard`);
    provider.say('conversation.item.truncated', { item_id: truncate.item_id, content_index: 0, audio_end_ms: truncate.audio_end_ms });
    provider.end(1, 'cancelled');
    await provider.turn('item_v');
    provider.begin(2, 200);
    provider.end(2);
  };
  compare(await ours(play, ['--in', wav()]), await theirs(play, { isSpoken: true }), {
    theirs: [{ line: 'retrieve item_u', why: kRetrieves }, { line: 'retrieve item_1', why: kRetrieves }, { line: 'retrieve item_v', why: kRetrieves }],
  });
});

test('a function', async () => {
  const play = async (provider) => {
    await provider.until('response.create');
    provider.call(1, 'get_weather', { city: 'London' });
    await provider.until('response.create');
    provider.begin(2, 200);
    provider.end(2);
  };
  const file = join(folder, 'tools.json');
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  writeFileSync(file, JSON.stringify([{ name: 'get_weather', description: 'Tells the weather', parameters, command: ['printf', 'sunny'] }]));
  const theirTool = tool({ name: 'get_weather', description: 'Tells the weather', parameters: z.object({ city: z.string() }), execute: async () => 'sunny' });
  compare(await ours(play, ['--text', 'weather', '--tools', file]), await theirs(play, { words: 'weather', tools: [theirTool] }), {});
});

const window = { skip: existsSync(driver) ? false : 'nobody can be at the window here: it is driven on Linux only' };
const kFirst = ['press talk', 'write text hello', 'press send'];

test('stopping a reply', window, async () => {
  const play = async (provider) => {
    await provider.until('response.create');
    provider.begin(1, 5000);
    await provider.until('response.cancel');
    provider.end(1, 'cancelled');
  };
  compare(await oursInWindow(play, [...kFirst, 'reads stateText Speaking', 'escape']), await theirs(play, { words: 'hello', during: (session) => session.interrupt() }), {});
});

test('typing over a reply', window, async () => {
  const play = async (provider) => {
    await provider.until('response.create');
    provider.begin(1, 5000);
    await provider.until('conversation.item.create');
    provider.end(1, 'cancelled');
    await provider.until('response.create');
    provider.begin(2, 200);
    provider.end(2);
  };
  const kEnough = 'whoever types over a reply has heard enough of it; with the SDK it is heard to its end unless the application interrupts it';
  compare(await oursInWindow(play, [...kFirst, 'reads stateText Speaking', 'write text more', 'press send']),
    await theirs(play, { words: 'hello', during: (session) => session.sendMessage('more') }),
    { ours: [{ line: 'response.cancel', why: kEnough }, { line: 'truncate item_1 0', why: kEnough }] });
});
