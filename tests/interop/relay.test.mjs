// The same SDKs through the broker's relay: nothing of them is changed but the address and the key.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from '@openai/agents-realtime';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { Events, kModel, pieces, speech, startAgent, within } from './offline_agent.mjs';
import { startBroker } from './real_broker.mjs';

const tls = process.env.VV_TLS_DIR;
let agent, broker, address;
before(async () => {
  agent = await startAgent();
  broker = await startBroker({
    provider: `url = "${new URL(agent.baseURL).origin}", model = "${kModel}", ca_file = "${join(tls, 'ca.pem')}"`,
    more: `tls = { certificate = "${join(tls, 'cert.pem')}", key = "${join(tls, 'key.pem')}" }\npolicy = { tools = ["set_lights"] }` });
  address = broker.url.replace('127.0.0.1', 'localhost');
});
after(async () => { await broker?.stop(); await agent?.stop(); });

const asOwner = (path, options = {}) => fetch(address + path,
  { ...options, headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${broker.key}` } });

async function session() {
  const answer = await asOwner('/api/voice/session', { method: 'POST', body: '{}' });
  assert.equal(answer.status, 200);
  return answer.json();
}

async function connect() {
  const { token, sessionId } = await session();
  const socket = new OpenAIRealtimeWS({ model: kModel }, new OpenAI({ apiKey: token, baseURL: `${address}/v1` }));
  const events = new Events();
  socket.on('event', (event) => events.push(event));
  socket.on('error', () => {});
  await events.next('session.created', 'session.created');
  socket.send({ type: 'session.update', session: { type: 'realtime', audio: { input: {
    transcription: { model: 'gpt-transcribe' }, turn_detection: { type: 'server_vad', silence_duration_ms: 500 } } } } });
  await events.next('session.updated', 'session.updated');
  return { socket, events, sessionId };
}

function say(socket, text) {
  for (const piece of pieces(speech(text))) socket.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') });
}

test('npm openai holds a spoken conversation, is interrupted, and is ended by its owner', async () => {
  const { socket, events, sessionId } = await connect();
  say(socket, 'what is twelve times seven');
  const { response } = await events.next('the reply', 'response.done');
  assert.match(response.output[0].content[0].transcript, /eighty.four|84/i);
  const long = `say ${'the quick brown fox jumps over the lazy dog and '.repeat(12)}stops`;
  socket.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: long }] } });
  socket.send({ type: 'response.create' });
  const first = await events.next('the first sound', (event) => event.type === 'response.output_audio.delta' && event.response_id !== response.id);
  say(socket, 'what time is it');
  const cut = await events.next('the end of the reply', (event) => event.type === 'response.done' && event.response.id === first.response_id);
  assert.equal(cut.response.status, 'cancelled');
  const closed = new Promise((resolve) => socket.socket.once('close', (code, reason) => resolve([code, String(reason)])));
  assert.equal((await asOwner(`/api/voice/session/${sessionId}`, { method: 'DELETE' })).status, 200);
  assert.deepEqual(await within(2_000, 'the end of the stream', closed), [4403, 'session_ended']);
});

test('npm openai is told of what it may not change, and goes on', async () => {
  const { socket, events } = await connect();
  socket.send({ type: 'session.update', event_id: 'mine', session: { type: 'realtime', tools: [{ type: 'function', name: 'pay', parameters: {} }] } });
  const { error } = await events.next('the refusal', 'error');
  assert.equal(error.code, 'locked_by_policy');
  assert.equal(error.event_id, 'mine');
  say(socket, 'what is twelve times seven');
  assert.equal((await events.next('the reply', 'response.done')).response.status, 'completed');
  socket.close();
});

test('@openai/agents-realtime holds a spoken conversation', async () => {
  const { token } = await session();
  const url = `${address.replace('https', 'wss')}/api/voice/stream`;
  const conversation = new RealtimeSession(new RealtimeAgent({ name: 'Voice', instructions: 'Be brief.' }), {
    model: kModel, transport: new OpenAIRealtimeWebSocket({ url }), tracingDisabled: true,
    config: { audio: { input: { transcription: { model: 'gpt-transcribe' }, turnDetection: { type: 'server_vad', silenceDurationMs: 500 } } } } });
  const events = new Events();
  conversation.transport.on('*', (event) => events.push(event));
  await conversation.connect({ apiKey: token, url });
  for (const piece of pieces(speech('what is twelve times seven'))) {
    conversation.sendAudio(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.length));
  }
  const { response } = await events.next('the reply', 'response.done');
  assert.match(response.output[0].content[0].transcript, /eighty.four|84/i);
  conversation.close();
});

test('the ledger has what the SDK was told, to the token; closing ends the session', async () => {
  const usage = async () => (await asOwner('/api/voice/usage?by=model')).json();
  const before = await usage();
  const { socket, events, sessionId } = await connect();
  say(socket, 'what is twelve times seven');
  const { response } = await events.next('the reply', 'response.done');
  const after = await usage();
  const told = response.usage.output_token_details;
  assert.equal(after.turns - before.turns, 1);
  assert.equal(after.tokens.audioOut - before.tokens.audioOut, told.audio_tokens);
  assert.equal(after.tokens.textOut - before.tokens.textOut, told.text_tokens);
  const heard = response.usage.input_token_details;
  assert.equal(after.tokens.audioIn + after.tokens.cachedAudioIn - before.tokens.audioIn - before.tokens.cachedAudioIn, heard.audio_tokens);
  assert.equal(after.rows[0].model, kModel);
  const gone = new Promise((resolve) => socket.socket.once('close', resolve));
  socket.close();
  await within(5_000, 'the end of the stream', gone);
  const isLive = async () => (await (await asOwner('/api/voice/session')).json()).sessions.some((one) => one.sessionId === sessionId);
  await within(5_000, 'the end of the session', (async () => { while (await isLive()); })());
  assert.ok((await usage()).audioMinutesIn > before.audioMinutesIn);
});
