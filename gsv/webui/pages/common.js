// What all scripts of this folder begin with.
const words = props.words;
const base = (window.gradio_config?.root || '') + '/gradio_api/file=';

const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
};

// Draws the outline of a wave, quiet ones as high as loud ones; `color` is that of a share of the way. Returns the pen,
// and the size that the canvas has for it; nothing where the canvas is not shown.
const paintWave = (canvas, peaks, color) => {
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
  if (!width) return null;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  const loudest = Math.max(20, ...peaks);
  peaks.forEach((peak, index) => {
    const bar = Math.max(1, (peak / loudest) * (height - 4));
    pen.fillStyle = color(index / peaks.length);
    pen.fillRect((index / peaks.length) * width, (height - bar) / 2, Math.max(1, width / peaks.length - 0.5), bar);
  });
  return { pen, width, height };
};

