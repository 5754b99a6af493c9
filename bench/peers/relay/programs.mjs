// Starting what is measured: the load, the broker, and its peers where they are installed. All of it on loopback, and ended with the bench.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const within = (ms, what, promise) => {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** Lines of JSON from a program, one after another. */
export function start(command, args, environment = {}, stderr = 'inherit') {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', stderr], env: { ...process.env, ...environment } });
  const ended = new Promise((resolve) => { child.once('exit', resolve); child.once('error', resolve); });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid,
    say: (line) => child.stdin.write(`${line}\n`),
    async next(ms = 30_000) {
      const { value, done } = await within(ms, `${command} ${args[0] ?? ''}`, lines.next());
      if (done) throw new Error(`${command} has ended`);
      const event = JSON.parse(value);
      if (event.event === 'failed') throw new Error(event.why);
      return event;
    },
    async stop() { child.kill(); await ended; },
  };
}

/** Both ends of the sessions. */
export async function startLoad(program) {
  const load = start(program, []);
  const { port } = await load.next();
  const ask = async (line, ms) => { load.say(line); return load.next(ms); };
  return { ...load, port, ask };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilListening(port) {
  const { connect } = await import('node:net');
  for (let i = 0; i < 200; ++i) {
    const isThere = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
      socket.once('error', () => resolve(false));
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens at ${port}`);
}

/** The broker before a provider; its `tokens` are of as many new sessions. */
export async function startBroker(program, folder, upstream) {
  const { key, keyHash } = JSON.parse(execFileSync(program, ['service-key', 'load'], { encoding: 'utf8' }));
  const file = join(folder, `broker-${upstream}.toml`);
  writeFileSync(file, `
listen = "127.0.0.1:0"
audit = { folder = "${folder}/audit-${upstream}" }
database = { url = "sqlite://${folder}/broker-${upstream}.db" }
secret = "${randomBytes(32).toString('base64url')}"
provider = { url = "http://127.0.0.1:${upstream}" }
[limits]
mints_per_minute = 100000
sessions_per_user = 100000
max_sessions = 100000
strangers_per_minute = 100000
violations_to_block = 0
connections = 10000
connections_per_address = 10000
[[service_accounts]]
name = "load"
key_hash = "${keyHash}"
scopes = ["voice:session"]
`, { mode: 0o600 });
  const broker = start(program, ['--config', file, '--log-level', 'error'], { OPENAI_API_KEY: 'the-stand-in-takes-any' });
  const { url } = await broker.next();
  const mint = async () => {
    const answer = await fetch(`${url}/api/voice/session`,
      { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` } });
    if (!answer.ok) throw new Error(`no session: ${await answer.text()}`);
    return (await answer.json()).token;
  };
  return {
    ...broker, port: new URL(url).port, path: '/api/voice/stream',
    async tokens(count) {
      const all = [];
      while (all.length < count) all.push(...await Promise.all(Array.from({ length: Math.min(16, count - all.length) }, mint)));
      return all;
    },
  };
}

const path = '/v1/realtime?model=gpt-realtime';
const isThere = (command) => !spawnSync(command, ['-v'], { stdio: 'ignore' }).error;

/** One process, as it would be beside a broker on the same two cores; no log, no compression. */
async function startNginx(folder, upstream) {
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log error; worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/nginx-body; proxy_temp_path ${folder}/nginx-proxy; fastcgi_temp_path ${folder}/nginx-fastcgi;
  uwsgi_temp_path ${folder}/nginx-uwsgi; scgi_temp_path ${folder}/nginx-scgi;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://127.0.0.1:${upstream}; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_read_timeout 1h; proxy_send_timeout 1h;
    }
  }
}
`);
  const program = start('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'nginx.log')]);
  await untilListening(port);
  return { ...program, port, path };
}

async function startHaproxy(folder, upstream) {
  const port = await freePort();
  writeFileSync(join(folder, 'haproxy.cfg'), `
global
  maxconn 8192
defaults
  mode http
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server provider 127.0.0.1:${upstream}
`);
  const program = start('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], {}, 'ignore');
  await untilListening(port);
  return { ...program, port, path };
}

async function startNode(upstream) {
  const program = start(process.execPath, ['relay.mjs', String(upstream)], { NODE_ENV: 'production' });
  const { url } = await program.next();
  return { ...program, port: new URL(url).port, path };
}

/** By name: straight to the provider, the broker, and whichever peers are here. */
export async function startRelays(broker, folder, upstream) {
  const relays = { direct: { port: upstream, path, stop() {} }, broker: await startBroker(broker, folder, upstream) };
  for (const [name, run] of Object.entries({ nginx: startNginx, haproxy: startHaproxy })) {
    if (isThere(name)) relays[name] = await run(folder, upstream);
    else console.log(`SKIPPED: ${name} is not installed here`);
  }
  relays.node = await startNode(upstream);
  return relays;
}

/** User and system time of all threads, in seconds. */
export const busy = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
export const kibibytes = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
export const openFiles = (pid) => readdirSync(`/proc/${pid}/fd`).length;
