// Draws one page of a list's rows and sends every change to the server, which answers with the rows as they are then.
const root = element.querySelector('.labelling');
const view = { path_list: '', page: 1, rows: props.page_rows, find: '' };
const marks = new Map(); // row -> the second at which it would be split
const waiting = new Map(); // "row field" -> the timer of an edit that is still being typed
const player = new Audio();
let state = null;
let current = null; // the row that shortcuts mean
let playing = null;
let busy = Promise.resolve();

const button = (label, title, onclick, name = '') => {
  const made = make('button', { type: 'button', title, onclick, className: name }, label);
  made.setAttribute('aria-label', title);
  return made;
};
const tool = (sign, word, title, onclick) => {
  const made = button(sign, title, onclick, 'tool');
  made.append(make('span', { className: 'word' }, ' ' + word));
  return made;
};
const clock = (seconds) => seconds.toFixed(2) + ' s';

// The frame: it stays; only the rows are drawn anew.
const note = make('div', { className: 'note', role: 'status' });
const count = make('span', { className: 'count' });
const pageField = make('input', { type: 'number', min: 1, className: 'page', title: words.page });
const findField = make('input', { type: 'search', className: 'grow', placeholder: words.find, title: words.find });
const sizeField = make('select', { title: words.rows });
for (const size of [10, 20, 50, 100]) sizeField.append(make('option', { value: size }, `${size} ${words.rows_unit}`));
sizeField.value = view.rows;
const saveButton = button(words.save, words.save + ' (Ctrl+S)', () => act('label_save'), 'main');
const undoButton = button(words.undo, words.undo + ' (Alt+Z)', () => act('label_undo'));
const turn = (by) => go(view.page + by);
const list = make('div', { className: 'rows' });
const keys = make('details', {}, make('summary', {}, words.shortcuts));
const table = make('div');
for (const [combination, meaning] of [
  ['Enter', words.key_next], ['Shift+Enter', words.key_previous], ['Alt+P', words.play], ['Alt+←/→', words.key_seek],
  ['Alt+X', words.split], ['Alt+M', words.merge], ['Alt+Delete', words.delete], ['Alt+Z', words.undo],
  ['Alt+PageUp/PageDown', words.key_page], ['Ctrl+S', words.save],
]) table.append(make('kbd', {}, combination), make('span', {}, meaning));
keys.append(table);
const bar = make('div', { className: 'bar' },
  saveButton, undoButton, findField,
  button('‹', words.previous_page, () => turn(-1)), pageField, count, button('›', words.next_page, () => turn(1)),
  sizeField);
root.replaceChildren(bar, note, list, keys);
root.style.display = 'none';

pageField.onchange = () => go(Number(pageField.value) || 1);
sizeField.onchange = () => { view.rows = Number(sizeField.value); act('look'); };
findField.oninput = debounced(() => { view.page = 1; view.find = findField.value; act('look'); }, 300);

function debounced(action, time) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(action, time); };
}

// One request at a time, in order; edits that are still being typed go first.
function act(what, parameters = {}) {
  busy = busy.then(() => send(what, parameters)).catch((error) => say(String(error?.message || error), true));
  return busy;
}
async function send(what, parameters) {
  for (const flush of [...waiting.values()]) await flush();
  const asked = JSON.stringify(view);
  const answer = await server.answer({ do: what, with: parameters, view });
  if (answer.same) return;
  if (answer.error) say(answer.error, true);
  else if (answer.message) say(answer.message, false);
  // Whoever turned the page meanwhile has asked for that one; this answer would turn it back.
  if (!answer.rows || JSON.stringify(view) !== asked) return;
  state = answer;
  view.page = answer.page;
  draw();
}
function say(text, bad) {
  note.textContent = text;
  note.className = bad ? 'note bad' : 'note';
}
function go(page) {
  view.page = Math.max(1, page);
  act('look').then(() => list.firstElementChild?.scrollIntoView({ block: 'nearest' }));
}

// A field that is being typed is sent a moment after the last key, and is not drawn over meanwhile.
function watchField(field, row, name) {
  const key = `${row.id} ${name}`;
  let sent = field.value;
  const flush = async () => {
    clearTimeout(field.timer);
    waiting.delete(key);
    if (field.value === sent) return;
    sent = field.value;
    const answer = await server.answer({ do: 'label_edit', with: { row: row.id, [name]: field.value }, view });
    if (answer.error) say(answer.error, true);
    else { state = { ...state, ...answer, rows: state.rows }; row[name] = sent; head(); }
  };
  field.oninput = () => {
    clearTimeout(field.timer);
    waiting.set(key, flush);
    saveButton.disabled = false;
    field.timer = setTimeout(() => act('look', { revision: state.revision }), 700);
  };
  field.onchange = () => { waiting.set(key, flush); act('look', { revision: state.revision }); };
  field.onfocus = () => choose(row.id);
  field.dataset.row = row.id;
  field.dataset.name = name;
}

function head() {
  count.textContent = `/ ${state.pages} · ${state.found === state.total ? state.total : state.found + ' / ' + state.total} ${words.rows_unit}`;
  pageField.value = state.page;
  pageField.max = state.pages;
  saveButton.disabled = !state.changed;
}

function draw() {
  const active = document.activeElement;
  const inside = list.contains(active);
  const place = [...list.children].findIndex((one) => one.dataset.id === String(current));
  const kept = list.contains(active) && active.dataset.row
    ? { row: active.dataset.row, name: active.dataset.name, start: active.selectionStart, end: active.selectionEnd } : null;
  root.style.display = '';
  head();
  list.replaceChildren(...state.rows.map(rowOf));
  if (!state.rows.length) list.append(make('div', { className: 'empty' }, words.no_rows));
  if (kept) {
    const field = list.querySelector(`[data-row="${kept.row}"][data-name="${kept.name}"]`);
    field?.focus({ preventScroll: true });
    if (field?.setSelectionRange && kept.start !== null && kept.start !== undefined) field.setSelectionRange(kept.start, kept.end);
  }
  if (!state.rows.some((row) => row.id === playing)) { player.pause(); playing = null; }
  // Where a row is gone, the one in its place is meant from now on, and shortcuts go on working.
  if (!state.rows.some((row) => row.id === current)) current = state.rows[Math.min(Math.max(0, place), state.rows.length - 1)]?.id ?? null;
  choose(current);
  if (inside && !list.contains(document.activeElement)) find(current)?.focus({ preventScroll: true });
}

function rowOf(row) {
  const text = make('textarea', { value: row.text, rows: 2, lang: row.language, title: words.text });
  const speaker = make('input', { value: row.speaker, className: 'speaker', title: words.speaker, placeholder: words.speaker });
  const language = make('select', { title: words.language });
  for (const code of new Set([row.language, ...props.languages])) language.append(make('option', { value: code }, code));
  language.value = row.language;
  watchField(text, row, 'text');
  watchField(speaker, row, 'speaker');
  watchField(language, row, 'language');
  const canvas = make('canvas', { title: words.wave });
  const place = make('input', { type: 'number', step: 0.05, min: 0, max: row.seconds, className: 'seconds', title: words.split_at, placeholder: words.split_at });
  place.onchange = () => mark(row, Number(place.value));
  place.onfocus = () => choose(row.id);
  canvas.onclick = (event) => {
    const share = event.offsetX / canvas.clientWidth;
    if (!made.contains(document.activeElement)) made.focus({ preventScroll: true });
    mark(row, share * row.seconds);
  };
  const sound = row.problem
    ? make('div', { className: 'problem' }, row.problem)
    : make('div', { className: 'wave' }, button('▶', words.play + ' (Alt+P)', () => play(row), 'play'), canvas);
  const made = make('article', { className: 'row', tabIndex: -1 },
    make('div', { className: 'side' },
      make('div', { className: 'head' }, make('span', { className: 'place' }, String(row.place)),
        make('span', { className: 'name', title: row.audio }, row.name),
        make('span', { className: 'time' }, clock(row.seconds))),
      sound),
    make('div', { className: 'side' }, text,
      make('div', { className: 'tools' }, language, speaker, make('span', { className: 'spacer' }), place,
        tool('✂', words.split_short, words.split + ' (Alt+X)', () => split(row)),
        tool('⇊', words.merge_short, words.merge + ' (Alt+M)', () => act('label_merge', { row: row.id })),
        tool('✕', words.delete_short, words.delete + ' (Alt+Delete)', () => act('label_delete', { row: row.id })))));
  Object.assign(made, { row, canvas, place });
  made.dataset.id = row.id;
  made.onclick = () => choose(row.id);
  if (marks.has(row.id)) place.value = marks.get(row.id).toFixed(2);
  requestAnimationFrame(() => paint(made));
  return made;
}

const find = (id) => list.querySelector(`article[data-id="${id}"]`);
function choose(id) {
  current = id;
  for (const one of list.querySelectorAll('article')) one.classList.toggle('current', one.dataset.id === String(id));
}
function mark(row, seconds) {
  const place = Math.min(Math.max(0, seconds), row.seconds);
  marks.set(row.id, place);
  const made = find(row.id);
  made.place.value = place.toFixed(2);
  if (playing === row.id) player.currentTime = place;
  paint(made);
}
function split(row) {
  if (!marks.has(row.id)) return say(words.split_where, true);
  const text = find(row.id).querySelector('textarea');
  const caret = text.selectionStart;
  const inside = caret > 0 && caret < text.value.length;
  act('label_split', { row: row.id, seconds: marks.get(row.id), ...(inside ? { caret } : {}) });
}

function play(row) {
  if (row.problem) return;
  if (playing === row.id && !player.paused) return player.pause();
  const from = marks.get(row.id) ?? 0;
  if (playing !== row.id) {
    player.src = base + row.file;
    playing = row.id;
  }
  player.currentTime = from < row.seconds - 0.05 ? from : 0;
  player.play().catch((error) => say(String(error.message), true));
}
player.onplay = function step() {
  const made = find(playing);
  for (const one of list.querySelectorAll('.play')) one.textContent = '▶';
  if (made) {
    made.querySelector('.play').textContent = player.paused ? '▶' : '❚❚';
    paint(made);
  }
  if (!player.paused && !player.ended) requestAnimationFrame(step);
};
player.onpause = player.onended = () => player.onplay();

function paint(made) {
  const { row, canvas } = made;
  const style = getComputedStyle(root);
  const [heard, rest] = [style.getPropertyValue('--color-accent'), style.getPropertyValue('--body-text-color-subdued')];
  const played = playing === row.id ? player.currentTime / row.seconds : 0;
  const drawing = paintWave(canvas, row.peaks, (share) => (share < played ? heard : rest));
  if (drawing && marks.has(row.id)) {
    drawing.pen.fillStyle = '#dc2626';
    drawing.pen.fillRect((marks.get(row.id) / row.seconds) * drawing.width - 1, 0, 2, drawing.height);
  }
}

const rowAt = (by) => {
  const index = state.rows.findIndex((row) => row.id === current);
  return state.rows[index + by];
};
async function step(by) {
  let row = rowAt(by);
  if (!row) {
    if (view.page + by < 1 || view.page + by > state.pages) return;
    view.page += by;
    await act('look');
    row = state.rows[by > 0 ? 0 : state.rows.length - 1];
  }
  const text = find(row.id)?.querySelector('textarea');
  text?.focus();
  text?.scrollIntoView({ block: 'nearest' });
}

root.addEventListener('keydown', (event) => {
  if (!state) return;
  const row = rowAt(0);
  const actions = {
    p: () => row && play(row),
    x: () => row && split(row),
    m: () => row && act('label_merge', { row: row.id }),
    delete: () => row && act('label_delete', { row: row.id }),
    z: () => act('label_undo'),
    pageup: () => turn(-1),
    pagedown: () => turn(1),
    arrowleft: () => row && mark(row, (marks.get(row.id) ?? 0) - 0.05),
    arrowright: () => row && mark(row, (marks.get(row.id) ?? 0) + 0.05),
  };
  const key = event.key.toLowerCase();
  let action = null;
  if (event.altKey && !event.ctrlKey && !event.metaKey) action = actions[event.code.startsWith('Key') ? event.code.slice(3).toLowerCase() : key];
  else if ((event.ctrlKey || event.metaKey) && key === 's') action = () => act('label_save');
  else if (key === 'enter' && event.target.tagName === 'TEXTAREA' && !event.isComposing) action = () => step(event.shiftKey ? -1 : 1);
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  action();
});

function openList() {
  const { path, message } = props.value || {};
  if (!message) return;
  Object.assign(view, { path_list: path, page: 1, find: '' });
  findField.value = '';
  marks.clear();
  say(message, false);
  act('look');
}
watch('value', openList);
openList();

// What others change is seen soon, unless somebody is typing here.
const timer = setInterval(() => {
  if (!root.isConnected) return clearInterval(timer);
  if (state && view.path_list && !document.hidden && !waiting.size && root.offsetParent) act('look', { revision: state.revision });
}, 3000);
new ResizeObserver(() => { for (const made of list.children) if (made.canvas) paint(made); }).observe(root);
