export type PracticeLanguage = 'python' | 'javascript';

/** A small thing to try the keys on, not a test. */
export const PRACTICE: Record<PracticeLanguage, string> = {
  python: `# Reverse the words of a sentence, but not their letters.
# "calm code reads well"  ->  "well reads code calm"

def reverse_words(sentence):
    return sentence


print(reverse_words("calm code reads well"))
`,
  javascript: `// Reverse the words of a sentence, but not their letters.
// "calm code reads well"  ->  "well reads code calm"

function reverseWords(sentence) {
  return sentence;
}

console.log(reverseWords('calm code reads well'));
`,
};
