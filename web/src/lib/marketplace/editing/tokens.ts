/** Tags are words in lower case. */
export const asTag = (word: string): string => word.replace(/^#/, '').toLowerCase().replace(/\s+/g, '-');
