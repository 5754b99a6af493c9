import { attempt, confirmed, count, el, field, minutes, moment, money, person, say, table } from './dom.js';
import { ask, queryOf } from './api.js';
import { meter } from './charts.js';

const kLists = [['providers', 'Providers'], ['models', 'Models'], ['voices', 'Voices'], ['tools', 'Functions']];
const kNumbers = [['longestSession', 'Longest session, seconds', 1], ['sessionsOfProject', 'Sessions at the same time', 1], ['sessionsPerUser', 'Sessions of one user', 1]];
const kBudgets = ['project', 'user'].flatMap((who) => ['Day', 'Month'].flatMap((period) => [
  [`${who}DollarsPer${period}`, `${who === 'user' ? 'Each user' : 'Project'}, dollars a ${period.toLowerCase()}`, 'any'],
  [`${who}MinutesPer${period}`, `${who === 'user' ? 'Each user' : 'Project'}, minutes a ${period.toLowerCase()}`, 1]]));

function left(period, unit, write) {
  const budget = period[`budget${unit}`];
  const spent = period[`spent${unit}`];
  if (budget === undefined) return el('span', {}, write(spent), el('small', {}, 'no budget'));
  const said = `${write(period[`left${unit}`])} left of ${write(budget)}`;
  return el('span', {}, write(spent), el('small', {}, said), meter(spent, budget, said));
}

/** A list of names that may be used: any, or these, or none. */
function listField(word, value) {
  const how = el('select', { 'aria-label': `${word}: how many` }, el('option', { value: 'any' }, 'any'), el('option', { value: 'these' }, 'these'), el('option', { value: 'none' }, 'none'));
  const names = el('input', { type: 'text', value: value?.join(', ') ?? '', autocomplete: 'off', spellcheck: 'false', 'aria-label': `${word}: names with commas between them` });
  how.value = value === undefined ? 'any' : value.length ? 'these' : 'none';
  const adapt = () => { names.hidden = how.value !== 'these'; };
  how.addEventListener('change', adapt);
  adapt();
  return { node: el('div', { class: 'field', role: 'group', 'aria-label': word }, el('span', {}, word), how, names),
    read: () => ({ any: undefined, none: [], these: names.value.split(',').map((name) => name.trim()).filter(Boolean) }[how.value]) };
}

/** What a project's sessions may be; members that this page does not know stay as they are. */
function policyForm(policy) {
  const lists = kLists.map(([name, word]) => [name, listField(word, policy[name])]);
  const number = ([name, word, step]) => [name, el('input', { type: 'number', min: name === 'longestSession' ? 1 : 0, step, value: policy[name] ?? '' }), word];
  const numbers = kNumbers.map(number);
  const budgets = kBudgets.map(number);
  const relay = el('input', { type: 'checkbox', checked: Boolean(policy.relay) });
  const transcripts = el('input', { type: 'checkbox', checked: Boolean(policy.transcripts) });
  const days = el('input', { type: 'number', min: 1, max: 3650, step: 1, value: policy.transcriptDays ?? '' });
  const instructions = el('textarea', {}, policy.instructions ?? '');
  const node = el('div', { class: 'stack' },
    el('fieldset', {}, el('legend', {}, 'Allowed'), el('div', { class: 'grid' }, ...lists.map(([, list]) => list.node))),
    el('fieldset', {}, el('legend', {}, 'Bounds'), el('div', { class: 'grid' }, ...numbers.map(([, input, word]) => field(word, input)))),
    el('fieldset', {}, el('legend', {}, 'Budgets'), el('div', { class: 'grid' }, ...budgets.map(([, input, word]) => field(word, input)))),
    field('Instructions for all of its sessions', instructions, 'Empty: everybody brings their own.'),
    el('label', { class: 'check' }, relay, 'Always through the relay'),
    el('label', { class: 'check' }, transcripts, 'Keep what is said through the relay, from the next sessions on'),
    field('Days for which it is kept', days, 'Empty: as long as the broker keeps it; never longer.'));
  return { node, read() {
    const made = { ...policy };
    const put = (name, value) => { if (value === undefined) delete made[name]; else made[name] = value; };
    for (const [name, list] of lists) put(name, list.read());
    for (const [name, input] of [...numbers, ...budgets]) put(name, input.value === '' ? undefined : Number(input.value));
    put('relay', relay.checked ? true : undefined);
    put('transcripts', transcripts.checked ? true : policy.transcripts === false ? false : undefined);
    put('transcriptDays', days.value === '' ? undefined : Number(days.value));
    put('instructions', instructions.value === '' ? undefined : instructions.value);
    return made;
  } };
}

const kWords = new Map([...kLists, ...kNumbers, ...kBudgets, ['relay', 'Always through the relay'], ['instructions', 'Instructions']]);
function said(value) {
  if (value === undefined) return 'any';
  if (Array.isArray(value)) return value.length ? value.join(', ') : 'none';
  return value === true ? 'yes' : String(value);
}
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** What differs between `mine` and `newer`, both made from `base`; and `newer` with what was changed in `mine`. */
function compare(base, mine, newer) {
  const names = [...new Set([...Object.keys(base), ...Object.keys(mine), ...Object.keys(newer)])].sort();
  const both = { ...newer };
  for (const name of names.filter((one) => !isSame(base[one], mine[one]))) {
    if (mine[name] === undefined) delete both[name];
    else both[name] = mine[name];
  }
  return { both, rows: names.filter((name) => !isSame(mine[name], newer[name])).map((name) => ({ name, was: base[name], newer: newer[name], mine: mine[name] })) };
}

/** Budgets and how much of each is left; projects, their policies and members. */
export function show(content, { keepsProjects }) {
  const faults = el('div', {});
  const budgetTable = (caption, title, name) => table({ caption, key: (row) => row.project ?? row.user, empty: 'Nothing was spent this month.',
    columns: [
      { title, head: true, cell: name },
      { title: 'Money today', cell: (row) => left(row.day, 'Dollars', money) },
      { title: 'Money this month', cell: (row) => left(row.month, 'Dollars', money) },
      { title: 'Minutes today', cell: (row) => left(row.day, 'Minutes', minutes) },
      { title: 'Minutes this month', cell: (row) => left(row.month, 'Minutes', minutes) },
    ] });
  const ofProjects = budgetTable('Budgets of projects', 'Project', (row) => row.project);
  const ofUsers = budgetTable('Budgets of users', 'User', person);
  const pager = (load) => {
    const state = { after: undefined, next: undefined };
    state.more = el('button', { type: 'button', disabled: true, on: { click: () => { state.after = state.next; load(); } } }, 'More');
    state.first = el('button', { type: 'button', disabled: true, on: { click: () => { state.after = undefined; load(); } } }, 'First');
    state.node = el('div', { class: 'line' }, state.first, state.more);
    state.took = (next) => { state.next = next; state.more.disabled = !next; state.first.disabled = state.after === undefined; state.node.hidden = !next && state.after === undefined; };
    return state;
  };
  const kListed = 1000;
  const listPages = pager(() => loadProjects());
  const projectPages = pager(() => loadBudgets('project'));
  const userPages = pager(() => loadBudgets('user'));
  const editor = el('div', {});
  const id = el('input', { type: 'text', maxlength: 128, required: true, autocomplete: 'off', spellcheck: 'false' });
  const projects = table({ caption: 'Projects', key: (row) => row.id, empty: 'There is no project yet.',
    columns: [
      { title: 'Project', head: true, cell: (row) => row.id },
      { title: 'Members', number: true, cell: (row) => count(row.members) },
      { title: 'Since', cell: (row) => moment(row.createdAt) },
      { title: '', cell: (row) => el('span', { class: 'line' },
        el('button', { type: 'button', 'aria-label': `Change ${row.id}`, on: { click: () => edit(row) } }, 'Change'),
        el('button', { type: 'button', 'aria-label': `Members of ${row.id}`, on: { click: () => showMembers(row.id) } }, 'Members'),
        el('button', { type: 'button', class: 'danger', 'aria-label': `Remove ${row.id}`, on: { click: () => remove(row) } }, 'Remove')) },
    ] });
  const make = el('form', { class: 'line', on: { submit: (event) => { event.preventDefault(); edit({ id: id.value.trim(), policy: {}, isNew: true }); } } },
    field('New project', id), el('button', { class: 'main' }, 'Make'));
  content.replaceChildren(el('section', {}, el('h1', {}, 'Budgets and projects'), faults, ofProjects.node, projectPages.node, ofUsers.node, userPages.node,
    ...(keepsProjects ? [projects.node, listPages.node, el('div', { class: 'card' }, make), editor]
      : [el('p', { class: 'note' }, 'Projects are not kept here: projects.check in the broker\'s configuration says where. What they may is in its policies.')])));

  function open(title, ...parts) {
    const heading = el('h2', { tabindex: '-1' }, title);
    editor.replaceChildren(el('div', { class: 'card' }, heading, ...parts));
    heading.focus();
    return heading;
  }
  const closing = () => el('button', { type: 'button', on: { click: () => editor.replaceChildren() } }, 'Close');

  /** `filled`: what the form has, where that is more than what the project has. */
  function edit(project, filled = project.policy) {
    const form = policyForm(filled);
    const fault = el('div', {});
    const save = async () => {
      try {
        return await ask('POST', 'api/admin/projects', { id: project.id, policy: form.read(), revision: project.revision ?? null });
      } catch (problem) {
        if (problem.code !== 'project_changed') throw problem;
        return { newer: (await ask('GET', `api/admin/projects${queryOf({ id: project.id })}`)).projects[0] ?? { id: project.id, policy: {}, isNew: true } };
      }
    };
    const whole = el('form', { class: 'stack', on: { submit: async (event) => {
      event.preventDefault();
      const done = await attempt(fault, save);
      if (!done) return;
      if (done.newer) {
        settle(fault, project, form.read(), done.newer);
        return;
      }
      say(done.created ? `${project.id} is made.` : `${project.id} is changed. It holds from the next renewal on.`);
      editor.replaceChildren();
      id.value = '';
      await load();
    } } }, form.node, fault, el('div', { class: 'line' }, el('button', { class: 'main' }, 'Save'), closing()));
    open(project.isNew ? `New project ${project.id}` : `Policy of ${project.id}`, whole);
  }

  /** Somebody else was faster: what they have made of it, beside what is in the form, which stays as it is until it is decided. */
  function settle(place, project, mine, newer) {
    const { both, rows } = compare(project.policy, mine, newer.policy);
    const what = newer.isNew ? 'has been removed meanwhile' : project.isNew ? 'has been made by somebody else meanwhile' : 'was changed by somebody else meanwhile';
    const differing = table({ caption: 'What differs', key: (row) => row.name, empty: 'It says what yours does.',
      columns: [
        { title: 'Setting', head: true, cell: (row) => kWords.get(row.name) ?? row.name },
        { title: 'When you began', cell: (row) => said(row.was) },
        { title: 'Now', cell: (row) => said(row.newer) },
        { title: 'Yours', cell: (row) => said(row.mine) },
      ] });
    differing.fill(rows);
    const heading = el('h3', { tabindex: '-1' }, `${project.id} ${what}. Nothing of yours is saved yet.`);
    place.replaceChildren(el('div', { class: 'stack', role: 'group', 'aria-label': 'Somebody else was faster' }, heading, differing.node, el('div', { class: 'line' },
      el('button', { type: 'button', class: 'main', on: { click: () => edit(newer, both) } }, 'Put my changes into it'),
      newer.isNew ? undefined : el('button', { type: 'button', on: { click: () => edit(newer) } }, 'Take it as it is now'))));
    heading.focus();
    loadProjects();
  }

  async function remove(project) {
    const isMeant = await confirmed({ title: `Remove ${project.id}?`, action: 'Remove the project',
      text: `Its ${count(project.members)} members lose it, and its sessions end at once. What was said in them is deleted; what it used stays in the ledger.` });
    if (!isMeant) return;
    const done = await attempt(faults, () => ask('POST', 'api/admin/projects/remove', { id: project.id }));
    if (done) say(`${project.id} is removed; ${count(done.ended)} sessions have ended.`);
    await load();
  }

  async function showMembers(project) {
    const fault = el('div', {});
    const user = el('input', { type: 'text', required: true, autocomplete: 'off', spellcheck: 'false' });
    const list = table({ caption: 'Members', key: (row) => row.user, empty: 'Nobody is a member yet.',
      columns: [{ title: 'User', head: true, cell: (row) => row.user },
        { title: 'May', cell: (row) => (row.isAdmin ? 'use it, and read its transcripts' : 'use it') },
        { title: '', cell: (row) => el('span', { class: 'line' },
          el('button', { type: 'button', 'aria-label': `${row.isAdmin ? 'No admin any more' : 'Make an admin'}: ${row.user}`, on: { click: () => change('add', row.user, row.isAdmin ? 'member' : 'admin') } }, row.isAdmin ? 'No admin any more' : 'Make an admin'),
          el('button', { type: 'button', class: 'danger', 'aria-label': `Take ${row.user} away`, on: { click: () => change('remove', row.user) } }, 'Take away')) }] });
    const pages = pager(() => read());
    const read = async () => {
      const told = await attempt(fault, () => ask('GET', `api/admin/projects/members${queryOf({ project, after: pages.after })}`));
      if (!told) return;
      const admins = new Set(told.admins);
      list.fill(told.members.map((member) => ({ user: member, isAdmin: admins.has(member) })));
      pages.took(told.members.length === kListed ? told.members.at(-1) : undefined);
    };
    async function change(what, member, role) {
      const done = await attempt(fault, () => ask('POST', `api/admin/projects/members/${what}`, { project, user: member, ...(role && { role }) }));
      if (done) say(role === 'admin' ? 'They are an admin of the project now.' : role ? 'They are an admin of the project no more.' : what === 'add' ? 'A member was added.' : 'A member was taken away.');
      await read();
      await loadProjects();
    }
    const form = el('form', { class: 'line', on: { submit: (event) => { event.preventDefault(); change('add', user.value.trim()); } } },
      field('User', user, 'Kind, length of the issuer, issuer, subject, as in the list of blocks: 2:21:https://login.example:u1'), el('button', { class: 'main' }, 'Add'));
    open(`Members of ${project}`, fault, list.node, pages.node, form, el('div', { class: 'line' }, closing()));
    await read();
  }

  async function loadProjects() {
    if (!keepsProjects) return;
    const told = await attempt(faults, () => ask('GET', `api/admin/projects${queryOf({ after: listPages.after })}`));
    if (!told) return;
    projects.fill(told.projects);
    listPages.took(told.projects.length === kListed ? told.projects.at(-1).id : undefined);
  }
  async function loadBudgets(by) {
    const pages = by === 'user' ? userPages : projectPages;
    const told = await attempt(faults, () => ask('GET', `api/admin/budgets${queryOf({ by, after: pages.after, limit: 50 })}`));
    if (!told) return;
    (by === 'user' ? ofUsers : ofProjects).fill(told.budgets);
    pages.took(told.next);
  }
  async function load() {
    await loadBudgets('project');
    await loadBudgets('user');
    await loadProjects();
  }
  return { load, once: true };
}
