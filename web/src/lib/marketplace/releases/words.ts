const UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

/** "312 bytes", "1.4 MB": in steps of a thousand, as disks are sold. */
export function sizeWords(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  let size = bytes / 1000;
  let unit = 0;
  // What would be shown as 1,000 of one is 1 of the next.
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

/** "43 %" of a file that is on its way; never 100 before all of it has left. */
export const shareWords = (share: number): string => `${Math.floor(share * 100)} %`;
