/** One panel of lines over the same minutes. */
export interface Panel {
  readonly title: string;
  readonly series: readonly { readonly name: string; readonly points: readonly { x: number; y: number }[] }[];
}

const width = 760;
const panelHeight = 220;
const plot = { left: 64, right: 200, top: 36, bottom: 32 };
const colours = ['#2a6fb3', '#b3402a', '#c98a1b', '#4b8b3b', '#7a4fa3', '#555555'];

/** Panels below each other as SVG; x in minutes, y from zero. */
export function chart(panels: readonly Panel[]): string {
  const height = panels.length * panelHeight + 24;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${panels.map(({ title }) => title).join('; ')}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:14px}.grid{stroke:#ddd;stroke-width:1}polyline,line{fill:none;stroke-width:2}</style>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels.map((panel, i) => `<g transform="translate(0 ${i * panelHeight})">${panelOf(panel)}</g>`),
    `<text x="${(plot.left + width - plot.right) / 2}" y="${height - 8}" text-anchor="middle">minutes</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function panelOf({ title, series }: Panel): string {
  const all = series.flatMap(({ points }) => points);
  const most = { x: Math.max(1, ...all.map(({ x }) => x)), y: roundUp(Math.max(1, ...all.map(({ y }) => y))) };
  const right = width - plot.right;
  const bottom = panelHeight - plot.bottom;
  const x = (value: number) => plot.left + (value / most.x) * (right - plot.left);
  const y = (value: number) => bottom - (value / most.y) * (bottom - plot.top);
  const fourths = [0, 1, 2, 3, 4];
  return [
    `<text class="title" x="${plot.left}" y="22">${title}</text>`,
    ...fourths.map((fourth) => {
      const [value, at] = [(most.y * fourth) / 4, y((most.y * fourth) / 4).toFixed(1)];
      return `<line class="grid" x1="${plot.left}" x2="${right}" y1="${at}" y2="${at}"/><text x="${plot.left - 8}" y="${at}" dy="4" text-anchor="end">${value.toLocaleString('en')}</text>`;
    }),
    ...fourths.map((fourth) => {
      const value = (most.x * fourth) / 4;
      return `<text x="${x(value).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${value.toFixed(0)}</text>`;
    }),
    ...series.map(({ name, points }, i) => {
      const stroke = `stroke="${colours[i % colours.length]}"`;
      const path = points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ');
      const at = plot.top + 8 + 20 * i;
      return `<polyline ${stroke} points="${path}"/><line ${stroke} x1="${right + 12}" x2="${right + 32}" y1="${at}" y2="${at}"/><text x="${right + 38}" y="${at}" dy="4">${name}</text>`;
    }),
  ].join('\n');
}

/** The next of 1, 2, 4, 8 times a power of ten: fourths of it are round. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 8, 10].find((step) => step * power >= value) ?? 10);
}
