import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

type Colour = [red: number, green: number, blue: number];

const css = readFileSync('src/lib/ui/tokens.css', 'utf8');
const [, lightBlock = ''] = /:root \{([\s\S]*?)\n\}/.exec(css) ?? [];
const [, darkBlock = ''] = /@variant dark \{([\s\S]*?)\n  \}/.exec(css) ?? [];

function tokens(block: string): Record<string, string> {
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value!]));
}

/** OKLCH to linear sRGB by the matrices of CSS Color 4, clipped to what a screen shows. */
function linear(colour: string): Colour {
  const [l, c, h] = /oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)/.exec(colour)!.slice(1).map(Number) as Colour;
  const [a, b] = [c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)];
  const [x, y, z] = [
    (l + 0.3963377774 * a + 0.2158037573 * b) ** 3,
    (l - 0.1055613458 * a - 0.0638541728 * b) ** 3,
    (l - 0.0894841775 * a - 1.291485548 * b) ** 3,
  ];
  const clip = (value: number) => Math.min(1, Math.max(0, value));
  return [
    clip(4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z),
    clip(-1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z),
    clip(-0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z),
  ];
}

const luminance = ([red, green, blue]: Colour) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

function contrast(one: string, other: string): number {
  const [dark, bright] = [luminance(linear(one)), luminance(linear(other))].sort((a, b) => a - b) as [number, number];
  return (bright + 0.05) / (dark + 0.05);
}

const SURFACES = ['surface-0', 'surface-1', 'surface-2'];
const PAIRS: [text: string, ground: string, least: number][] = [
  ...SURFACES.flatMap((ground): [string, string, number][] => [
    ['text-1', ground, 7],
    ['text-2', ground, 4.5],
    ['text-3', ground, 4.5],
    ['accent-text', ground, 4.5],
  ]),
  ['text-3', 'surface-3', 4.5],
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-hover', 4.5],
  ['on-bad', 'bad-fill', 4.5],
  ['accent-text', 'accent-soft', 4.5],
  ['good', 'good-soft', 4.5],
  ['warn', 'warn-soft', 4.5],
  ['bad', 'bad-soft', 4.5],
  ['bad', 'surface-1', 4.5],
  ['good', 'surface-1', 4.5],
  ['warn', 'surface-1', 4.5],
  ['text-2', 'bad-soft', 4.5],
  ['text-2', 'accent-soft', 4.5],
  ['private', 'private-soft', 4.5],
  ...['text', 'comment', 'keyword', 'string', 'number', 'name', 'type'].map(
    (kind): [string, string, number] => [`code-${kind}`, 'code-surface', 7],
  ),
  ...Array.from({ length: 8 }, (_, n): [string, string, number] => ['on-person', `person-${n}`, 4.5]),
  ...Array.from({ length: 8 }, (_, n): [string, string, number] => [`person-${n}`, 'code-surface', 3]),
];

describe.each([
  ['light', tokens(lightBlock)],
  ['dark', { ...tokens(lightBlock), ...tokens(darkBlock) }],
])('the %s theme', (_, theme) => {
  it.each(PAIRS)('draws %s on %s with a contrast of at least %d', (text, ground, least) => {
    expect(contrast(theme[text]!, theme[ground]!)).toBeGreaterThanOrEqual(least);
  });
});
