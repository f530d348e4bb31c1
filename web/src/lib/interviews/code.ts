export const CODE_LENGTH = 6;

/**
 * Finds the code in whatever was typed or pasted: `481205`, `481 205`, `481-205`, a whole invitation or a link.
 * From running text the first group of exactly six digits is taken, so that a port or a date does no harm.
 */
export function readCode(text: string): string {
  const whole = /(?<!\d)(\d{3})[\s\u00a0–-]?(\d{3})(?!\d)/.exec(text);
  if (whole) return `${whole[1]}${whole[2]}`;
  return text.replace(/\D/g, '').slice(0, CODE_LENGTH);
}

/** `481 205`: in two groups, as people say it. */
export function showCode(code: string): string {
  return code.length > 3 ? `${code.slice(0, 3)} ${code.slice(3)}` : code;
}
