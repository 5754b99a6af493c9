// Who is here: somebody whom an issuer vouches for (OpenID Connect, authorization code with PKCE), or who has a token already.
import { el, field, faultLine } from './dom.js';
import { ask, Problem, takeToken } from './api.js';

const kPending = 'vivavoce.sign-in';
const fail = (message, code) => { throw new Problem(message, code, 0); };

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
const randomText = (bytes) => base64url(crypto.getRandomValues(new Uint8Array(bytes)));
const redirectUri = () => location.origin + location.pathname;

async function metadataOf(issuer) {
  let metadata;
  try {
    metadata = await (await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { credentials: 'omit', redirect: 'error' })).json();
  } catch {
    fail('The sign-in service cannot be reached.', 'sign_in.unreachable');
  }
  if (metadata.issuer !== issuer) fail('The sign-in service calls itself otherwise than the broker does.', 'sign_in.issuer');
  return metadata;
}

/** Leaves for the issuer. What is needed to believe its answer waits in this tab; it opens nothing by itself. */
async function leaveFor(place) {
  const metadata = await metadataOf(place.issuer);
  const pending = { issuer: place.issuer, verifier: randomText(48), state: randomText(24), nonce: randomText(24) };
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier))));
  sessionStorage.setItem(kPending, JSON.stringify(pending));
  const address = new URL(metadata.authorization_endpoint);
  const words = { response_type: 'code', client_id: place.clientId, redirect_uri: redirectUri(), scope: place.scope, state: pending.state,
    nonce: pending.nonce, code_challenge: challenge, code_challenge_method: 'S256', ...(place.resource && { resource: place.resource }) };
  for (const [name, value] of Object.entries(words)) address.searchParams.set(name, value);
  location.assign(address.href);
}

/** The claims of a token that came from its issuer itself (OpenID Connect Core 3.1.3.7). */
function claimsOf(idToken) {
  try {
    const bytes = Uint8Array.from(atob(idToken.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return fail('The sign-in service answered with something that is no token.', 'sign_in.token');
  }
}

function checkIdToken(idToken, place, nonce) {
  const claims = claimsOf(idToken ?? '');
  const isOurs = claims.iss === place.issuer && [claims.aud].flat().includes(place.clientId) && claims.nonce === nonce && claims.exp * 1000 > Date.now() - 60_000;
  if (!isOurs) fail('The sign-in does not belong to this page.', 'sign_in.nonce');
}

/** The token of a sign-in that has just come back; nothing where none has. */
async function comeBack(places) {
  const answer = new URLSearchParams(location.search);
  if (!answer.has('state') || !(answer.has('code') || answer.has('error'))) return undefined;
  const pending = JSON.parse(sessionStorage.getItem(kPending) ?? 'null');
  sessionStorage.removeItem(kPending);
  // Neither the history nor anybody who looks over a shoulder is to have the code.
  history.replaceState(null, '', location.pathname + location.hash);
  const place = places.find(({ issuer }) => issuer === pending?.issuer);
  if (!pending || !place || answer.get('state') !== pending.state) fail('That sign-in was not begun on this page.', 'sign_in.state');
  const metadata = await metadataOf(place.issuer);
  const named = answer.get('iss');
  if ((named !== null && named !== place.issuer) || (named === null && metadata.authorization_response_iss_parameter_supported)) {
    fail('Another service answered than the one that was asked.', 'sign_in.issuer');
  }
  if (answer.has('error')) fail('The sign-in service did not let you in.', 'sign_in.refused');
  let tokens;
  try {
    const told = await fetch(metadata.token_endpoint, { method: 'POST', credentials: 'omit', redirect: 'error',
      body: new URLSearchParams({ grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: redirectUri(), client_id: place.clientId,
        code_verifier: pending.verifier, ...(place.resource && { resource: place.resource }) }) });
    tokens = told.ok ? await told.json() : {};
  } catch {
    fail('The sign-in service cannot be reached.', 'sign_in.unreachable');
  }
  checkIdToken(tokens.id_token, place, pending.nonce);
  return (place.token === 'id' ? tokens.id_token : tokens.access_token) ?? fail('The sign-in service gave no token.', 'sign_in.token');
}

/** Asks until somebody has signed in: { overview } of an admin, { isReader } of somebody who may read transcripts alone. */
export async function signIn(content, why) {
  const faults = el('div', {});
  const ways = el('div', { class: 'stack' });
  const input = el('input', { type: 'password', autocomplete: 'off', spellcheck: 'false', required: true });
  const form = el('form', { class: 'stack' },
    field('Token', input, 'An admin\'s access token, a service account\'s key, or the embedded credential. It stays in this page\'s memory and is gone when you close it.'),
    el('div', { class: 'line' }, el('button', { class: 'main' }, 'Sign in')));
  content.replaceChildren(el('section', { class: 'narrow' }, el('h1', {}, 'Sign in'), why && el('p', { class: 'note' }, why),
    faults, el('div', { class: 'card' }, ways, form)));
  const tell = (problem) => {
    faults.replaceChildren(faultLine(problem.code ? problem : new Problem('Something went wrong on this page.', 'page')));
  };
  const tryToken = async (token) => {
    takeToken(token);
    try {
      try {
        return { overview: await ask('GET', 'api/admin/overview') };
      } catch (problem) {
        if (problem.code !== 'insufficient_scope') throw problem;
        // An admin of a project is none of the broker's, and reads what was said there.
        await ask('GET', 'api/voice/transcripts?limit=1');
        return { isReader: true };
      }
    } catch (problem) {
      takeToken(null);
      throw problem.code === 'insufficient_scope' ? new Problem('You are known here, but you are no admin.', problem.code, problem.status) : problem;
    }
  };
  return new Promise((resolve) => {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const token = input.value.trim();
      input.value = '';
      faults.replaceChildren();
      try {
        resolve(await tryToken(token));
      } catch (problem) {
        tell(problem);
        input.focus();
      }
    });
    (async () => {
      const { issuers } = await ask('GET', 'api/admin/sign-in');
      for (const place of issuers) {
        const leave = () => leaveFor(place).catch(tell);
        ways.append(el('button', { type: 'button', class: 'main', on: { click: leave } }, `Sign in with ${new URL(place.issuer).host}`));
      }
      if (issuers.length) ways.append(el('p', { class: 'soft small' }, 'Or with a token:'));
      else input.focus();
      const token = await comeBack(issuers);
      if (token) resolve(await tryToken(token));
    })().catch(tell);
  });
}
