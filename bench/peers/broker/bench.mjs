// usage: node bench.mjs PROGRAM [--of direct|relay|relay-es256] [--connections N] [--seconds N] [--rounds N] [--sessions N] [--users N]
// vivavoce-broker beside the peer, in the same run and in turns: mints a second, processor time of each, latency, start-up, memory. For reading,
// not for CI. Direct mints ask the provider; those of relayed sessions are signed here, with HS256 or ES256.
import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { SignJWT } from 'jose';

const { values, positionals } = parseArgs({ allowPositionals: true, options: {
  of: { type: 'string', default: 'direct' },
  connections: { type: 'string', default: '32' }, seconds: { type: 'string', default: '5' },
  rounds: { type: 'string', default: '3' }, sessions: { type: 'string', default: '10000' }, users: { type: 'string', default: '2000' } } });
const [connections, seconds, rounds, sessions, users] = ['connections', 'seconds', 'rounds', 'sessions', 'users'].map((name) => Number(values[name]));
const paths = { direct: '/api/voice-agent/token', relay: '/api/voice/session', 'relay-es256': '/api/voice/session' };
const isCount = (n) => Number.isInteger(n) && n > 0;
if (positionals.length !== 1 || !(values.of in paths) || ![connections, seconds, rounds, sessions, users].every(isCount) || users < connections) {
  console.error('usage: bench.mjs PROGRAM [--of direct|relay|relay-es256] [--connections N] [--seconds N] [--rounds N] [--sessions N] [--users N]');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'vivavoce-bench-'));
const median = (all) => all.sort((a, b) => a - b)[Math.trunc(all.length / 2)];
const mebibytes = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
/** User and system time of all its threads, in seconds. */
const busy = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);

function start(command, args, environment = {}) {
  const since = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...environment } });
  const stop = () => new Promise((resolve) => { child.once('exit', resolve); child.kill(); });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', (line) => resolve(
      { url: JSON.parse(line).url, pid: child.pid, ms: performance.now() - since, stop }));
  });
}

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const standIn = await start(process.execPath, ['stand_in.mjs', JSON.stringify({ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' })]);
const token = (subject) => new SignJWT({ scope: 'voice:mint voice:session' }).setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'at+jwt' })
  .setIssuer(standIn.url).setAudience('vivavoce').setSubject(subject).setIssuedAt().setExpirationTime('1 hour').sign(privateKey);
const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
writeFileSync(join(folder, 'signer.pem'), signer.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
writeFileSync(join(folder, 'broker.toml'), `
listen = "127.0.0.1:0"
audit = { folder = "${folder}/audit" }
database = { url = "sqlite://${folder}/broker.db" }
secret = "${randomBytes(32).toString('base64url')}"
provider = { url = "${standIn.url}" }
${values.of === 'relay-es256' ? `tokens = { keys = ["${folder}/signer.pem"] }` : ''}
limits = { mints_per_minute = 100000, sessions_per_user = 100000, max_sessions = 100000, strangers_per_minute = 100000, violations_to_block = 0 }
[[issuers]]
url = "${standIn.url}"
audiences = ["vivavoce"]
scopes = []
`);
const programs = {
  'vivavoce-broker': () => start(positionals[0], ['--config', join(folder, 'broker.toml'), '--log-level', 'error'], { OPENAI_API_KEY: 'any' }),
  express: () => start(process.execPath, ['server.mjs', standIn.url, standIn.url, values.of === 'relay-es256' ? 'ES256' : 'HS256'], { NODE_ENV: 'production' }),
};

/** Each connection speaks for users of its own, one after another. */
async function load(url, tokens, limits) {
  let next = 0;
  const each = Math.trunc(tokens.length / connections);
  const result = await autocannon({ url: url + paths[values.of], method: 'POST', body: '{}', connections, ...limits,
    setupClient: (client) => {
      const theirs = tokens.slice(next, next += each);
      client.setRequests(theirs.map((bearer) => (
        { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${bearer}` } })));
    } });
  if (result.non2xx || result.errors) throw new Error(`${result.non2xx} refused, ${result.errors} failed`);
  return result;
}

try {
  const tokens = await Promise.all(Array.from({ length: users }, (_, i) => token(`user-${i}`)));
  const seen = Object.fromEntries(Object.keys(programs).map((name) => [name, { rate: [], p50: [], p99: [], cpu: [], ms: [], idle: [], full: [] }]));
  for (let round = 0; round < rounds; ++round) {
    for (const [name, run] of Object.entries(programs)) {
      const program = await run();
      seen[name].ms.push(program.ms);
      seen[name].idle.push(mebibytes(program.pid));
      await load(program.url, tokens, { amount: sessions });
      seen[name].full.push(mebibytes(program.pid));
      const before = busy(program.pid);
      const result = await load(program.url, tokens, { duration: seconds });
      seen[name].cpu.push((busy(program.pid) - before) * 1e6 / result.requests.total);
      seen[name].rate.push(result.requests.average);
      seen[name].p50.push(result.latency.p50);
      seen[name].p99.push(result.latency.p99);
      await program.stop();
    }
  }
  const rows = [['mints a second', 'rate'], ['processor time of one, us', 'cpu'], ['latency p50, ms', 'p50'], ['latency p99, ms', 'p99'], ['start-up, ms', 'ms'],
    ['resident idle, MiB', 'idle'], [`resident with ${sessions} sessions, MiB`, 'full']];
  console.log(`${values.of}: ${users} users, ${connections} connections, ${rounds} rounds of ${seconds} s, medians`);
  console.log(`${''.padEnd(36)}${'broker'.padStart(10)}${'express'.padStart(10)}${'ratio'.padStart(8)}`);
  for (const [title, key] of rows) {
    const [ours, theirs] = Object.keys(programs).map((name) => median(seen[name][key]));
    console.log(`${title.padEnd(36)}${ours.toFixed(1).padStart(10)}${theirs.toFixed(1).padStart(10)}${(ours / theirs).toFixed(2).padStart(8)}`);
  }
  const ours = seen['vivavoce-broker'];
  for (const [what, value, most] of [['start-up', median(ours.ms), 100], ['resident idle', median(ours.idle), 30], ['resident with sessions', median(ours.full), 60]]) {
    if (value > most) console.log(`OVER: ${what} is to be at most ${most}, and is ${value.toFixed(1)}`);
  }
} finally {
  await standIn.stop();
  rmSync(folder, { recursive: true });
}
