// npm's `openai`: what a developer gets who points the official SDK at the offline agent.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { Events, kModel, pieces, speech, startAgent, within } from './offline_agent.mjs';

let agent;
let client;
before(async () => {
  agent = await startAgent();
  client = new OpenAI({ apiKey: 'any-key', baseURL: agent.baseURL });
});
after(() => agent?.stop());

/** A conversation over a minted secret, configured and ready. */
async function connect(session = {}) {
  const secret = await client.realtime.clientSecrets.create({ session: { type: 'realtime', model: kModel } });
  assert.match(secret.value, /^ek_/);
  const socket = new OpenAIRealtimeWS({ model: kModel }, new OpenAI({ apiKey: secret.value, baseURL: agent.baseURL }));
  const events = new Events();
  socket.on('event', (event) => events.push(event));
  socket.on('error', () => {});
  await events.next('session.created', 'session.created');
  socket.send({ type: 'session.update', session: { type: 'realtime', audio: { input: {
    transcription: { model: 'gpt-transcribe' }, turn_detection: { type: 'server_vad', silence_duration_ms: 500 } } }, ...session } });
  await events.next('session.updated', 'session.updated');
  return { socket, events };
}

function say(socket, text) {
  for (const piece of pieces(speech(text))) {
    socket.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') });
  }
}

const audioBytes = (events, responseId) => events.all
  .filter((event) => event.type === 'response.output_audio.delta' && event.response_id === responseId)
  .reduce((sum, event) => sum + Buffer.from(event.delta, 'base64').length, 0);

test('a spoken question is written down, answered and paid for', async () => {
  const { socket, events } = await connect();
  say(socket, 'what is twelve times seven');
  const heard = await events.next('the transcript', 'conversation.item.input_audio_transcription.completed');
  assert.match(heard.transcript, /twelve times seven/);
  const { response } = await events.next('the end of the reply', 'response.done');
  assert.equal(response.status, 'completed');
  assert.match(response.output[0].content[0].transcript, /eighty.four|84/i);
  assert.ok(audioBytes(events, response.id) > 24_000, 'more than half a second of sound');
  const { usage } = response;
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
  assert.ok(usage.input_token_details.audio_tokens > 0 && usage.output_token_details.audio_tokens > 0);
  const order = events.all.map((event) => event.type);
  for (const [first, second] of [['input_audio_buffer.speech_started', 'input_audio_buffer.speech_stopped'],
    ['input_audio_buffer.speech_stopped', 'input_audio_buffer.committed'], ['input_audio_buffer.committed', 'response.created'],
    ['response.created', 'response.output_item.added'], ['response.output_audio.done', 'response.done']]) {
    assert.ok(order.indexOf(first) >= 0 && order.indexOf(first) < order.indexOf(second), `${first} before ${second}`);
  }
  socket.close();
});

test('speaking over a reply cancels it, and the truth about what was heard is taken', async () => {
  const { socket, events } = await connect();
  socket.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: `say ${'the quick brown fox jumps over the lazy dog and '.repeat(12)}stops` }] } });
  socket.send({ type: 'response.create' });
  const first = await events.next('the first sound', 'response.output_audio.delta');
  say(socket, 'what time is it');
  const { response } = await events.next('the end of the reply', (event) => event.type === 'response.done' && event.response.id === first.response_id);
  assert.equal(response.status, 'cancelled');
  assert.equal(response.status_details.reason, 'turn_detected');
  socket.send({ type: 'conversation.item.truncate', item_id: first.item_id, content_index: 0, audio_end_ms: 40 });
  const truncated = await events.next('the truncation', 'conversation.item.truncated');
  assert.equal(truncated.audio_end_ms, 40);
  const answer = await events.next('the answer', (event) => event.type === 'response.done' && event.response.id !== first.response_id);
  assert.equal(answer.response.status, 'completed');
  socket.close();
});

test('a function that nobody has seen before is called by voice, and its result is spoken', async () => {
  const { socket, events } = await connect({ tools: [{ type: 'function', name: 'set_lights', description: 'Switches the lights of a room on or off',
    parameters: { type: 'object', required: ['room', 'on'], properties: { room: { type: 'string', enum: ['kitchen', 'bedroom', 'office'] }, on: { type: 'boolean' } } } }] });
  say(socket, 'turn on the lights in the kitchen');
  const asked = await events.next('the call', 'response.function_call_arguments.done');
  assert.equal(asked.name, 'set_lights');
  assert.deepEqual(JSON.parse(asked.arguments), { room: 'kitchen', on: true });
  await events.next('the end of the asking reply', 'response.done');
  socket.send({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id: asked.call_id, output: JSON.stringify({ status: 'the kitchen lights are on' }) } });
  socket.send({ type: 'response.create' });
  const { response } = await events.next('the spoken result', 'response.done');
  assert.match(response.output[0].content[0].transcript, /kitchen/);
  socket.close();
});

test('a written answer is written only', async () => {
  const { socket, events } = await connect({ output_modalities: ['text'] });
  socket.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'what is two plus two' }] } });
  socket.send({ type: 'response.create' });
  const done = await events.next('the text', 'response.output_text.done');
  assert.match(done.text, /four|4/i);
  const { response } = await events.next('the end', 'response.done');
  assert.equal(audioBytes(events, response.id), 0);
  socket.close();
});

test('a second reply at the same time is refused, and the first one goes on', async () => {
  const { socket, events } = await connect();
  socket.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'help' }] } });
  socket.send({ type: 'response.create' });
  socket.send({ type: 'response.create', event_id: 'second' });
  const refused = await events.next('the refusal', 'error');
  assert.equal(refused.error.code, 'conversation_already_has_active_response');
  assert.equal(refused.error.event_id, 'second');
  assert.equal((await events.next('the end', 'response.done')).response.status, 'completed');
  socket.close();
});

test('errors are those of the provider', async () => {
  const { socket, events } = await connect();
  socket.send({ type: 'response.cancel', event_id: 'mine_1' });
  const nothing = await events.next('the first error', 'error');
  assert.equal(nothing.error.code, 'response_cancel_not_active');
  assert.equal(nothing.error.event_id, 'mine_1');
  socket.send({ type: 'input_audio_buffer.commit' });
  assert.equal((await events.next('the second error', 'error')).error.code, 'input_audio_buffer_commit_empty');
  socket.send({ type: 'session.update', session: { type: 'realtime', temperature: 0.8 } });
  assert.equal((await events.next('the third error', 'error')).error.code, 'unknown_parameter');
  socket.close();
});

test('a secret that is none is told after the handshake, and then the door closes', async () => {
  const socket = new OpenAIRealtimeWS({ model: kModel }, new OpenAI({ apiKey: 'ek_made_up', baseURL: agent.baseURL }));
  const events = new Events();
  socket.on('event', (event) => events.push(event));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.socket.on('close', (code, reason) => resolve({ type: 'closed', code, reason: String(reason) })));
  assert.equal((await events.next('the refusal', 'error')).error.code, 'invalid_api_key');
  const close = await within(10_000, 'the close', closed);
  assert.equal(close.code, 3000);
  assert.match(close.reason, /invalid_api_key/);
});
