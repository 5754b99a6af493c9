// Asks the broker. The token stays in this module's memory: closing or reloading the page forgets it.

let token = null;
/** The token was seen to be an admin's. */
let isIn = false;
let onSignedOut = () => {};

/** What the broker says no with; `code` is stable. */
export class Problem extends Error {
  constructor(message, code, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export function takeToken(value) { token = value; }
export function enter() { isIn = true; }
export function whenSignedOut(listener) { onSignedOut = listener; }
export function signOut(why) {
  token = null;
  isIn = false;
  onSignedOut(why);
}

const addressOf = (path) => new URL(path, document.baseURI);

async function send(method, path, { body, accept, signal } = {}) {
  let answer;
  try {
    answer = await fetch(addressOf(path), { method, signal, cache: 'no-store', credentials: 'omit', redirect: 'error',
      headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body !== undefined && { 'Content-Type': 'application/json' }), ...(accept && { Accept: accept }) },
      body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem('The broker cannot be reached.', 'network', 0);
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  const problem = new Problem(told.detail || told.title || `The broker says ${answer.status}.`, told.code || String(answer.status), answer.status);
  if (answer.status === 401 && isIn) signOut('Your sign-in has ended.');
  throw problem;
}

export async function ask(method, path, body) {
  return (await send(method, path, { body })).json();
}

/** "?a=1&b=2" of what is not empty. */
export function queryOf(values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== '' && value !== undefined && value !== null));
  // A blank as a plus is a form's way; in an address it is a plus.
  const text = query.toString().replaceAll('+', '%20');
  return text && `?${text}`;
}

/** Saves it as a file. */
export function keep(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Saves an answer as a file. */
export async function download(path, name) {
  const answer = await send('GET', path, { accept: 'text/csv, application/json, text/plain' });
  keep(await answer.blob(), name);
}

/** A page to print. It is read as a document, never as text that becomes one (Trusted Types). */
export function printable(path) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', addressOf(path));
    request.responseType = 'document';
    request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.setRequestHeader('Accept', 'text/html');
    request.addEventListener('error', () => reject(new Problem('The broker cannot be reached.', 'network', 0)));
    request.addEventListener('load', () => {
      if (request.status === 200 && request.response) resolve(request.response);
      // Why it is refused is told where it is asked for as what it is.
      else send('GET', path, { accept: 'text/html' }).then(() => reject(new Problem(`The broker says ${request.status}.`, String(request.status), request.status)), reject);
    });
    request.send();
  });
}

/** A page of a file, and where the next one begins, if there is one. */
export async function filePage(path) {
  const answer = await send('GET', path, { accept: 'text/csv' });
  // Not the address itself: it does not know what stands before ours.
  const link = /<[^>]*[?&]before=([^&>]*)[^>]*>; rel="next"/.exec(answer.headers.get('Link') ?? '');
  return { text: await answer.text(), type: answer.headers.get('Content-Type'), next: link ? decodeURIComponent(link[1]) : undefined };
}

const kPatience = 40_000;

/** Reads the broker's events until `signal` says stop; comes back by itself. `onState`: "live", "waiting". */
export async function listen(onOverview, onState, signal) {
  let pause = 1000;
  let hasEnded = false;
  while (!signal.aborted && token) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    hasEnded = false;
    signal.addEventListener('abort', stop);
    let watch = setTimeout(stop, kPatience);
    try {
      const answer = await send('GET', 'api/admin/events', { accept: 'text/event-stream', signal: attempt.signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { done, value } = await reader.read();
        // After some minutes, as agreed: whoever listens shows then that they still may.
        hasEnded = done;
        if (done) break;
        clearTimeout(watch);
        watch = setTimeout(stop, kPatience);
        onState('live');
        pause = 1000;
        text += value;
        let end;
        while ((end = text.indexOf('\n\n')) >= 0) {
          const data = text.slice(0, end).split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n');
          text = text.slice(end + 2);
          if (data) onOverview(JSON.parse(data));
        }
      }
    } catch (error) {
      if (error.status === 401) break;
    } finally {
      clearTimeout(watch);
      signal.removeEventListener('abort', stop);
    }
    if (signal.aborted) break;
    if (!hasEnded) onState('waiting');
    await new Promise((resolve) => { setTimeout(resolve, pause); });
    pause = Math.min(pause * 2, 15_000);
  }
}
