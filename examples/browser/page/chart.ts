import type { Measured } from './progress.ts';

const width = 640;
const height = 200;
const edge = { left: 44, right: 14, top: 12, bottom: 28 };

/** Draws accuracy over versions into an SVG of 640 by 200. */
export function drawChart(svg: Element, history: readonly Measured[]): void {
  const title = svg.querySelector('title');
  const newest = history.at(-1);
  if (title) {
    title.textContent = newest
      ? `${history.length} versions measured; version ${newest.version}: ${percent(newest.accuracy)}`
      : 'No version measured yet';
  }
  const versions = history.map(({ version }) => version);
  const [first, last] = [Math.min(0, ...versions), Math.max(1, ...versions)];
  const x = (version: number) => edge.left + ((version - first) / (last - first)) * (width - edge.left - edge.right);
  const y = (share: number) => height - edge.bottom - share * (height - edge.top - edge.bottom);
  const points = history
    .toSorted((a, b) => a.version - b.version)
    .map(({ version, accuracy }) => [x(version), y(accuracy)]);
  svg.replaceChildren(
    ...(title ? [title] : []),
    ...[0, 0.5, 1].flatMap((share) => [
      shape('line', { x1: edge.left, x2: width - edge.right, y1: y(share), y2: y(share), class: 'grid' }),
      shape('text', { x: edge.left - 8, y: y(share) + 4, 'text-anchor': 'end' }, percent(share)),
    ]),
    shape('text', { x: x(first), y: height - 6 }, `version ${first}`),
    shape('text', { x: x(last), y: height - 6, 'text-anchor': 'end' }, `${last}`),
    shape('polyline', { points: points.map((point) => point.join(',')).join(' '), class: 'line' }),
    ...points.map(([cx, cy]) => shape('circle', { cx, cy, r: points.length > 40 ? 2 : 3.5, class: 'dot' })),
  );
}

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}
