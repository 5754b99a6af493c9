// usage: node bench.mjs PROGRAM [--rounds N] [--milliseconds N]
// What it takes to write and read a provider's messages: here, and in the clients that OpenAI and Google publish, in turns in the same run. For
// reading, not for CI. A message that is read goes in where the client's socket hands it over, and is done where the client hands on the event; one
// that is written is done where the client gives text to its socket. Nothing is sent: the sockets are none. Sound is bytes on both sides, so Buffer
// makes base64 of it and back, as whoever uses these clients has to.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket';

const { values, positionals } = parseArgs({ allowPositionals: true, options: {
  rounds: { type: 'string', default: '5' }, milliseconds: { type: 'string', default: '300' } } });
const [rounds, milliseconds] = [Number(values.rounds), Number(values.milliseconds)];
if (positionals.length !== 1 || !(rounds >= 1 && milliseconds >= 1)) {
  console.error('usage: bench.mjs PROGRAM [--rounds N] [--milliseconds N]');
  process.exit(2);
}
const median = (all) => [...all].sort((a, b) => a - b)[Math.trunc(all.length / 2)];

/** Each is a line: provider, event, way, text, nanoseconds. */
function ours() {
  const run = spawnSync(positionals[0], [String(milliseconds)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (run.status !== 0) throw new Error(`${positionals[0]} ended with ${run.status}`);
  return run.stdout.trim().split('\n').map((line) => JSON.parse(line));
}

let sum = 0;
const took = (work) => {
  const atOnce = 200;
  for (let i = 0; i < 10 * atOnce; ++i) sum += work();
  const since = process.hrtime.bigint();
  let calls = 0;
  let lasted;
  do {
    for (let i = 0; i < atOnce; ++i) sum += work();
    calls += atOnce;
    lasted = Number(process.hrtime.bigint() - since);
  } while (lasted < milliseconds * 1e6);
  return lasted / calls;
};

/** OpenAI's client on a socket that is none. */
function openai() {
  let hand;
  let sent;
  globalThis.WebSocket = class {
    readyState = 1;
    addEventListener(type, listener) { if (type === 'message') hand = listener; }
    send(text) { sent = text; }
    close() {}
  };
  const client = new OpenAIRealtimeWebSocket({ model: 'gpt-realtime-2.1' }, new OpenAI({ apiKey: 'none', baseURL: 'https://nowhere.invalid/v1' }));
  let got = 0;
  client.on('error', (error) => { throw error; });
  client.on('response.output_audio.delta', (event) => { got = Buffer.from(event.delta, 'base64').length; });
  client.on('response.done', (event) => { got = event.response.usage.total_tokens; });
  return {
    // Text frames come as text.
    reads: (text) => () => { got = 0; hand({ data: text }); return got; },
    writes: (sound) => () => { client.send({ type: 'input_audio_buffer.append', audio: sound.toString('base64') }); return sent.length; },
    soundOf: (text) => Buffer.from(JSON.parse(text).audio, 'base64'),
  };
}

/** Google's, likewise. */
async function gemini() {
  let hand;
  let sent;
  const { live } = new GoogleGenAI({ apiKey: 'none' });
  live.webSocketFactory = { create: (url, headers, callbacks) => {
    hand = callbacks.onmessage;
    return {
      connect: () => queueMicrotask(callbacks.onopen),
      send: (text) => {
        if (sent === undefined) queueMicrotask(() => hand({ data: '{"setupComplete":{}}' }));
        sent = text;
      },
      close: () => {},
    };
  } };
  let got = 0;
  const session = await live.connect({ model: 'gemini-3.8-live', callbacks: { onmessage: (message) => {
    const data = message.serverContent?.modelTurn?.parts?.[0]?.inlineData?.data;
    got = data ? Buffer.from(data, 'base64').length : message.usageMetadata?.totalTokenCount ?? 0;
  } } });
  return {
    // Google sends its JSON in binary frames.
    reads: (text) => { const frame = { data: Buffer.from(text) }; return () => { got = 0; hand(frame); return got; }; },
    writes: (sound) => () => {
      session.sendRealtimeInput({ audio: { data: sound.toString('base64'), mimeType: 'audio/pcm;rate=24000' } });
      return sent.length;
    },
    soundOf: (text) => Buffer.from(JSON.parse(text).realtimeInput.audio.data, 'base64'),
  };
}

const peers = { openai: openai(), gemini: await gemini() };
const seen = new Map();
for (let round = 0; round < rounds; ++round) {
  for (const line of ours()) {
    const peer = peers[line.provider];
    const work = line.way === 'read' ? peer.reads(line.text) : peer.writes(peer.soundOf(line.text));
    if (!(work() > 0)) throw new Error(`${line.provider}'s client makes nothing of ${line.event}`);
    const key = `${line.provider} ${line.event}`;
    const row = seen.get(key) ?? { ...line, ours: [], theirs: [] };
    row.ours.push(line.nanoseconds);
    row.theirs.push(took(work));
    seen.set(key, row);
  }
}
const versions = { openai: 'openai', gemini: '@google/genai' };
console.log(`microseconds a message, medians of ${rounds} rounds of ${milliseconds} ms`);
console.log(`${'provider'.padEnd(10)}${'message'.padEnd(30)}${''.padEnd(7)}${'bytes'.padStart(7)}${'ours'.padStart(9)}${'npm'.padStart(9)}${'ours/npm'.padStart(10)}  beside`);
for (const row of seen.values()) {
  const [mine, theirs] = [median(row.ours) / 1000, median(row.theirs) / 1000];
  console.log(`${row.provider.padEnd(10)}${row.event.padEnd(30)}${row.way.padEnd(7)}${String(Buffer.byteLength(row.text)).padStart(7)}`
    + `${mine.toFixed(2).padStart(9)}${theirs.toFixed(2).padStart(9)}${(mine / theirs).toFixed(2).padStart(10)}  ${versions[row.provider]}`);
}
if (!(sum > 0)) process.exitCode = 1;
