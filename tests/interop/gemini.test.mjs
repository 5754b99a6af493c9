// Google's own SDK through the broker's relay: nothing of it is changed but the address and a header.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GoogleGenAI, Modality } from '@google/genai';
import { WebSocketServer } from 'ws';
import { Events, within } from './offline_agent.mjs';
import { startBroker } from './real_broker.mjs';

const kModel = 'gemini-3.8-live';
const kKey = 'the-key-of-the-operator';
const kPath = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';
const kSound = Buffer.alloc(2 * 24_000 / 10).toString('base64'); // 100 ms

/** Google's side: takes the key in a header, answers typed words with sound, and asks for the weather where it is spoken of. */
class Google {
  heard = [];
  static async start() {
    const google = new Google();
    google.server = createServer((_, response) => response.writeHead(404).end());
    google.sockets = new WebSocketServer({ server: google.server });
    google.sockets.on('connection', (socket, request) => {
      if (request.url !== kPath || request.headers['x-goog-api-key'] !== kKey) { socket.close(1008, 'Permission denied'); return; }
      socket.on('message', (data, isBinary) => { assert.ok(!isBinary); google.#hear(socket, JSON.parse(data)); });
    });
    await new Promise((resolve) => google.server.listen(0, '127.0.0.1', resolve));
    google.url = `http://127.0.0.1:${google.server.address().port}`;
    return google;
  }
  stop() {
    for (const socket of this.sockets.clients) socket.terminate();
    this.server.close();
  }
  #hear(socket, message) {
    this.heard.push(message);
    // Google's messages are JSON in binary frames.
    const say = (what) => socket.send(Buffer.from(JSON.stringify(what)));
    const reply = () => {
      say({ serverContent: { modelTurn: { parts: [{ inlineData: { mimeType: 'audio/pcm;rate=24000', data: kSound } }] } } });
      say({ usageMetadata: { promptTokenCount: 30, responseTokenCount: 40, totalTokenCount: 70,
        promptTokensDetails: [{ modality: 'TEXT', tokenCount: 10 }, { modality: 'AUDIO', tokenCount: 20 }],
        responseTokensDetails: [{ modality: 'AUDIO', tokenCount: 40 }] } });
      say({ serverContent: { generationComplete: true } });
      say({ serverContent: { turnComplete: true } });
    };
    if (message.setup) say({ setupComplete: {} });
    else if (message.realtimeInput?.text?.includes('weather')) say({ toolCall: { functionCalls: [{ id: 'call_1', name: 'get_weather', args: {} }] } });
    else if (message.realtimeInput?.text || message.clientContent || message.toolResponse) reply();
  }
}

let google, broker;
before(async () => {
  google = await Google.start();
  broker = await startBroker({ more: `providers = { gemini = { url = "${google.url}", api_key = "${kKey}" } }
policy = { tools = ["get_weather"], relay = true }` });
});
after(async () => { await broker?.stop(); google?.stop(); });

const asOwner = (path, options = {}) => fetch(broker.url + path,
  { ...options, headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${broker.key}` } });

async function connect(config = {}) {
  const answer = await asOwner('/api/voice/session', { method: 'POST', body: '{"provider":"gemini"}' });
  assert.equal(answer.status, 200);
  const { token, connect: info, transport, sessionId } = await answer.json();
  assert.equal(transport, 'relay');
  assert.equal(info.dialect, 'gemini');
  // The key goes into the address, where it would be logged: the token does not.
  const ai = new GoogleGenAI({ apiKey: 'unused', httpOptions: { baseUrl: broker.url, apiVersion: 'v1beta', headers: { Authorization: `Bearer ${token}` } } });
  const messages = new Events();
  let closes;
  const closed = new Promise((resolve) => { closes = resolve; });
  const session = await within(10_000, 'a session', ai.live.connect({ model: kModel, config: { responseModalities: [Modality.AUDIO], ...config },
    callbacks: { onmessage: (message) => messages.push(message), onclose: ({ code, reason }) => closes([code, reason]), onerror() {} } }));
  return { session, messages, sessionId, closed };
}

const turnEnds = ({ serverContent }) => serverContent?.turnComplete;

test('@google/genai speaks, types, answers a function, and is metered to the token', async () => {
  const usage = async () => (await asOwner('/api/voice/usage?by=model')).json();
  const { session, messages, sessionId } = await connect({ tools: [{ functionDeclarations: [{ name: 'get_weather' }] }] });
  for (let i = 0; i < 10; ++i) session.sendRealtimeInput({ audio: { data: Buffer.alloc(3_200).toString('base64'), mimeType: 'audio/pcm;rate=16000' } });
  session.sendRealtimeInput({ text: 'hello' });
  const sound = await messages.next('sound', ({ serverContent }) => serverContent?.modelTurn);
  assert.equal(sound.serverContent.modelTurn.parts[0].inlineData.data, kSound);
  await messages.next('the end of the turn', turnEnds);
  session.sendRealtimeInput({ text: 'how is the weather' });
  const { toolCall } = await messages.next('the call', (message) => message.toolCall);
  session.sendToolResponse({ functionResponses: toolCall.functionCalls.map(({ id, name }) => ({ id, name, response: { sky_colour: 'blue', skyColour: 'blau' } })) });
  await messages.next('the end of the turn', turnEnds);
  session.sendClientContent({ turns: 'and tomorrow?', turnComplete: true });
  await messages.next('the end of the turn', turnEnds);
  const { turns, toolCallsTotal, tokens, rows } = await usage();
  assert.deepEqual([turns, toolCallsTotal, tokens.textIn, tokens.audioIn, tokens.audioOut], [3, 1, 30, 60, 120]);
  assert.equal(rows[0].model, kModel);
  session.close();
  const isLive = async () => (await (await asOwner('/api/voice/session')).json()).sessions.some((one) => one.sessionId === sessionId);
  await within(5_000, 'the end of the session', (async () => { while (await isLive()); })());
  assert.equal((await usage()).audioMinutesIn, 1 / 60);
});

test('@google/genai is told of what its setup may not say', async () => {
  await assert.rejects(connect({ tools: [{ googleSearch: {} }] }), /1008.*locked_by_policy setup\.tools/);
  assert.ok(!google.heard.some(({ setup }) => setup?.tools?.some((tool) => tool.googleSearch)));
});

test('@google/genai is ended with its session', async () => {
  const { sessionId, closed } = await connect();
  assert.equal((await asOwner(`/api/voice/session/${sessionId}`, { method: 'DELETE' })).status, 200);
  assert.deepEqual(await within(2_000, 'the end of the stream', closed), [4403, 'session_ended']);
});

test('vivavoce-cli goes the same way', async () => {
  const usage = async () => (await asOwner('/api/voice/usage')).json();
  const before = await usage();
  const child = spawn(join(process.env.VV_BIN_DIR, 'vivavoce-cli'),
    ['talk', '--broker', broker.url, '--model', kModel, '--text', 'hello', '--text', 'and again', '--turns', '2', '--fast', '--timeout', '30', '--format', 'json'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, VIVAVOCE_CREDENTIAL: broker.key } });
  let output = '';
  child.stdout.on('data', (bytes) => { output += bytes; });
  assert.equal(await within(30_000, 'the end of vivavoce-cli', new Promise((resolve) => child.once('exit', resolve))), 0, output.slice(-600));
  assert.match(output, /"transport":"relay"/);
  const { turns, tokens } = await usage();
  assert.deepEqual([turns - before.turns, tokens.audioOut - before.tokens.audioOut], [2, 80]);
  assert.ok(google.heard.some(({ setup }) => setup?.sessionResumption));
});
