// usage: node bench.mjs BROKER LOAD [AGENT] [--rounds N] [--seconds N] [--only duty|memory|stall|first] [--streams N: that duty alone]
// The broker's relay beside nginx, haproxy and one of Node's `ws`, over the same provider, in turns in the same run: one-way latency, what
// arrives, processor time of a message, memory; a client that stops reading; the first response of the offline agent, direct and relayed.
// For reading, not for CI. Linux: it reads /proc.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { firstResponses } from './first_response.mjs';
import { busy, kibibytes, startLoad, startRelays } from './programs.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: {
  rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '5' }, only: { type: 'string' }, streams: { type: 'string' } } });
const [rounds, seconds, streams] = [Number(values.rounds), Number(values.seconds), Number(values.streams)];
const parts = ['memory', 'duty', 'stall', 'first'];
if (positionals.length < 2 || positionals.length > 3 || !(rounds >= 1 && seconds >= 1) || (values.only && !parts.includes(values.only))) {
  console.error(`usage: bench.mjs BROKER LOAD [AGENT] [--rounds N] [--seconds N] [--only ${parts.join('|')}] [--streams N]`);
  process.exit(2);
}
const [brokerProgram, loadProgram, agentProgram] = positionals;
const wants = (part) => !values.only || values.only === part;
const folder = mkdtempSync(join(tmpdir(), 'vivavoce-bench-'));
const median = (all) => [...all].sort((a, b) => a - b)[Math.trunc(all.length / 2)];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const over = [];
const limit = (what, value, most, unit) => { if (!(value <= most)) over.push(`${what} is to be at most ${most} ${unit}, and is ${value.toFixed(1)}`); };

function table(title, names, rows) {
  console.log(`\n${title}\n${''.padEnd(28)}${names.map((name) => name.padStart(10)).join('')}${'broker/nginx'.padStart(14)}`);
  for (const [what, digits, cells] of rows) {
    const ratio = cells.broker / cells.nginx;
    console.log(`${what.padEnd(28)}${names.map((name) => (cells[name] === undefined ? '-' : cells[name].toFixed(digits)).padStart(10)).join('')}`
      + `${(Number.isFinite(ratio) ? ratio.toFixed(2) : '-').padStart(14)}`);
  }
}

async function open(load, relay, sessions) {
  let file = '';
  if (relay.tokens) {
    file = join(folder, 'tokens');
    writeFileSync(file, (await relay.tokens(sessions)).join('\n'), { mode: 0o600 });
  }
  await load.ask(`open ${relay.port} ${relay.path} ${sessions} ${file}`);
}

/** Idle sessions of programs that have just started. */
async function memory(load, relays, sessions) {
  const [alone, each] = [{}, {}];
  for (const [name, relay] of Object.entries(relays)) {
    if (!relay.pid) continue;
    if (relay.tokens) await relay.tokens(sessions); // What a session costs that is not connected is not this figure.
    alone[name] = kibibytes(relay.pid);
    await open(load, relay, sessions);
    await load.ask('wait 1000');
    each[name] = (kibibytes(relay.pid) - alone[name]) / sessions;
    await load.ask('close');
  }
  table(`memory, ${sessions} idle sessions`, Object.keys(each),
    [['resident before, MiB', 1, Object.fromEntries(Object.entries(alone).map(([name, value]) => [name, value / 1024]))], ['a session, KiB', 1, each]]);
  limit('an idle session', each.broker, 30, 'KiB');
}

async function duty(load, relays, { sessions, rate, bytes }) {
  const seen = Object.fromEntries(Object.keys(relays).map((name) => [name, { p50: [], p99: [], cpu: [], sent: 0, received: 0, misplaced: 0 }]));
  for (let round = 0; round < rounds; ++round) {
    for (const [name, relay] of Object.entries(relays)) {
      await open(load, relay, sessions);
      await load.ask(`run ${rate} ${bytes} ${seconds * 1000}`); // "warm"
      const before = relay.pid && busy(relay.pid);
      await load.next((seconds + 20) * 1000); // "over"
      const took = relay.pid && busy(relay.pid) - before;
      const figures = await load.next();
      await load.ask('close');
      const mine = seen[name];
      mine.p50.push(figures.p50);
      mine.p99.push(figures.p99);
      if (relay.pid) mine.cpu.push(took * 1e6 / figures.measured);
      for (const key of ['sent', 'received', 'misplaced']) mine[key] += figures[key];
    }
  }
  const each = (of) => Object.fromEntries(Object.entries(seen).map(([name, mine]) => [name, of(mine)]));
  const rows = [['one way p50, us', 0, each((mine) => median(mine.p50))], ['one way p99, us', 0, each((mine) => median(mine.p99))],
    ['processor a message, us', 1, each((mine) => (mine.cpu.length ? median(mine.cpu) : undefined))],
    ['delivered', 4, each((mine) => (mine.received - mine.misplaced) / mine.sent)]];
  table(`${sessions} sessions, ${rate} messages a second each way, ${bytes} bytes; ${rounds} rounds of ${seconds} s, medians`, Object.keys(relays), rows);
  const [p50, p99, cpu, delivered] = rows.map(([, , cells]) => cells);
  if (sessions === 300) {
    if (p50.nginx) limit('p50 beside nginx', p50.broker / p50.nginx, 1.3, 'times');
    if (p99.nginx) limit('p99 beside nginx', p99.broker / p99.nginx, 2, 'times');
    limit('a message', cpu.broker, 25, 'us');
  }
  if (delivered.broker !== 1) over.push(`with ${sessions} sessions not all that was sent has arrived in order: ${delivered.broker}`);
}

/** A client that reads nothing, and a provider that sends all it can. */
async function stall(load, relays) {
  const [growth, taken] = [{}, {}];
  for (const [name, relay] of Object.entries(relays)) {
    if (!relay.pid) continue;
    await open(load, relay, 1);
    await load.ask('wait 500');
    const before = kibibytes(relay.pid);
    let most = before;
    const ended = load.ask('stall 10000');
    ended.catch(() => {});
    for (let i = 0; i < 95; ++i) {
      await pause(100);
      most = Math.max(most, kibibytes(relay.pid));
    }
    taken[name] = (await ended).taken / 1024 / 1024;
    growth[name] = (most - before) / 1024;
    await load.ask('close');
  }
  table('a client that stops reading, 10 s', Object.keys(growth), [['growth, MiB', 1, growth], ['taken of the provider, MiB', 1, taken]]);
  limit('growth for a client that stops reading', growth.broker, 16, 'MiB');
}

const load = await startLoad(loadProgram);
let relays = {};
try {
  if (['memory', 'duty', 'stall'].some(wants)) relays = await startRelays(brokerProgram, folder, load.port);
  if (wants('memory')) await memory(load, relays, 1000);
  if (wants('duty')) {
    const duties = [10, 100, 300].map((sessions) => ({ sessions, rate: 50, bytes: 1400 })).concat({ sessions: 1000, rate: 10, bytes: 6500 });
    for (const each of duties) if (!values.streams || streams === each.sessions) await duty(load, relays, each);
  }
  if (wants('stall')) await stall(load, relays);
  if (wants('first') && agentProgram) {
    const { direct, relayed } = await firstResponses(agentProgram, brokerProgram, folder);
    console.log(`\nfirst sound of the offline agent after response.create, medians of ${direct.length} in turns: direct ${median(direct).toFixed(1)} ms, `
      + `relayed ${median(relayed).toFixed(1)} ms, difference ${(median(relayed) - median(direct)).toFixed(1)} ms`);
    limit('the difference of first responses', median(relayed) - median(direct), 5, 'ms');
  }
  console.log('');
  for (const line of over) console.log(`OVER: ${line}`);
  if (!over.length) console.log('nothing is over its limit');
} finally {
  for (const relay of Object.values(relays)) await relay.stop();
  await load.stop();
  rmSync(folder, { recursive: true });
}
