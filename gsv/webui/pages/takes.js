// The pieces of a speech: they sound one after another while later ones are still being made, and each can be heard,
// made anew, and taken home by itself.
const root = element.querySelector('.takes');
const single = new Audio();
let context = null; // of the sounds that follow each other without a gap
let sources = [];
let next = 0; // when the sound after the last one begins
let run = null;
let heard = 0; // takes of this run that were put in line
let queue = Promise.resolve();


const loud = make('input', { type: 'checkbox', checked: localStorage.getItem('gsv-loud') !== '0' });
loud.onchange = () => { localStorage.setItem('gsv-loud', loud.checked ? '1' : '0'); if (!loud.checked) hush(); };
const silence = make('button', { type: 'button', onclick: hush }, words.hush);
const bar = make('div', { className: 'bar' }, make('label', {}, loud, words.autoplay), silence);
const list = make('div');
root.replaceChildren(bar, list);

function hush() {
  for (const source of sources) source.stop();
  sources = [];
  next = 0;
  single.pause();
}

// Put in line; one after another, whatever the order in which the files arrive.
function follow(take) {
  const mine = run;
  queue = queue.then(async () => {
    context ||= new AudioContext();
    await context.resume();
    const answer = await fetch(base + take.file);
    const sound = await context.decodeAudioData(await answer.arrayBuffer());
    if (mine !== run || !loud.checked) return;
    const source = context.createBufferSource();
    source.buffer = sound;
    source.connect(context.destination);
    const at = Math.max(context.currentTime + 0.05, next);
    source.start(at);
    next = at + sound.duration;
    sources.push(source);
  }).catch((error) => console.warn(error.message));
}

function play(take, row) {
  hush();
  single.src = base + take.file;
  for (const one of list.children) one.classList.toggle('sounding', one === row);
  single.onpause = single.onended = () => row.classList.remove('sounding');
  single.play().catch((error) => console.warn(error.message));
}

function draw() {
  const color = getComputedStyle(root).getPropertyValue('--color-accent');
  const value = props.value || { takes: [] };
  bar.style.display = value.takes.length ? '' : 'none';
  if (value.run !== run) {
    hush();
    run = value.run;
    heard = 0;
  }
  list.replaceChildren(...value.takes.map((take, index) => {
    const canvas = make('canvas');
    const row = make('div', { className: 'take' });
    row.append(
      make('button', { type: 'button', title: words.play, onclick: () => play(take, row) }, '▶'),
      canvas,
      make('div', { className: 'text', title: `${words.seed} ${take.seed}` }, take.text),
      make('div', { className: 'buttons' },
        make('button', { type: 'button', title: words.again, disabled: value.working, onclick: () => trigger('again', { index }) }, '↻'),
        make('a', { className: 'button', title: words.download, href: base + take.file, download: `piece${index + 1}.wav` }, '⤓')),
      ...(take.warning ? [make('div', { className: 'warning' }, take.warning)] : []));
    requestAnimationFrame(() => paintWave(canvas, take.peaks, () => color));
    return row;
  }));
  const unheard = value.takes.slice(heard);
  heard = value.takes.length;
  if (value.working && loud.checked) unheard.forEach(follow);
  if (value.fresh !== null && value.fresh !== undefined && loud.checked) play(value.takes[value.fresh], list.children[value.fresh]);
}

watch('value', draw);
draw();
