import type { Extension } from '@codemirror/state';
import type { StreamParser } from '@codemirror/language';

interface Grammar {
  /** Columns of one indentation step; 4 when not given. */
  indent?: number;
  load: () => Promise<Extension>;
}

const legacy = (load: () => Promise<StreamParser<unknown>>, indent?: number): Grammar => ({
  indent,
  load: async () => {
    const [{ StreamLanguage }, parser] = await Promise.all([import('@codemirror/language'), load()]);
    return StreamLanguage.define(parser);
  },
});
const script = (typescript: boolean, jsx = false): Grammar => ({
  indent: 2,
  load: async () => (await import('@codemirror/lang-javascript')).javascript({ typescript, jsx }),
});
const cpp: Grammar = { load: async () => (await import('@codemirror/lang-cpp')).cpp() };
const clike = (name: 'csharp' | 'kotlin' | 'scala' | 'dart' | 'objectiveC', indent?: number) =>
  legacy(async () => (await import('@codemirror/legacy-modes/mode/clike'))[name], indent);

/** By the id that the server gives a language. Each grammar is fetched when it is first needed. */
const GRAMMARS: Record<string, Grammar> = {
  python: { load: async () => (await import('@codemirror/lang-python')).python() },
  javascript: script(false, true),
  typescript: script(true),
  c: cpp,
  cpp,
  java: { load: async () => (await import('@codemirror/lang-java')).java() },
  go: { load: async () => (await import('@codemirror/lang-go')).go() },
  rust: { load: async () => (await import('@codemirror/lang-rust')).rust() },
  php: { load: async () => (await import('@codemirror/lang-php')).php({ plain: false }) },
  sql: { load: async () => (await import('@codemirror/lang-sql')).sql() },
  html: { indent: 2, load: async () => (await import('@codemirror/lang-html')).html() },
  css: { indent: 2, load: async () => (await import('@codemirror/lang-css')).css() },
  bash: legacy(async () => (await import('@codemirror/legacy-modes/mode/shell')).shell),
  ruby: legacy(async () => (await import('@codemirror/legacy-modes/mode/ruby')).ruby, 2),
  perl: legacy(async () => (await import('@codemirror/legacy-modes/mode/perl')).perl),
  lua: legacy(async () => (await import('@codemirror/legacy-modes/mode/lua')).lua, 2),
  r: legacy(async () => (await import('@codemirror/legacy-modes/mode/r')).r, 2),
  haskell: legacy(async () => (await import('@codemirror/legacy-modes/mode/haskell')).haskell, 2),
  swift: legacy(async () => (await import('@codemirror/legacy-modes/mode/swift')).swift),
  julia: legacy(async () => (await import('@codemirror/legacy-modes/mode/julia')).julia),
  clojure: legacy(async () => (await import('@codemirror/legacy-modes/mode/clojure')).clojure, 2),
  erlang: legacy(async () => (await import('@codemirror/legacy-modes/mode/erlang')).erlang),
  ocaml: legacy(async () => (await import('@codemirror/legacy-modes/mode/mllike')).oCaml, 2),
  fsharp: legacy(async () => (await import('@codemirror/legacy-modes/mode/mllike')).fSharp),
  pascal: legacy(async () => (await import('@codemirror/legacy-modes/mode/pascal')).pascal, 2),
  fortran: legacy(async () => (await import('@codemirror/legacy-modes/mode/fortran')).fortran),
  csharp: clike('csharp'),
  kotlin: clike('kotlin'),
  scala: clike('scala', 2),
  dart: clike('dart', 2),
};

const OTHER_NAMES: Record<string, string> = {
  'c++': 'cpp',
  csharp: 'csharp',
  'c#': 'csharp',
  golang: 'go',
  js: 'javascript',
  node: 'javascript',
  ts: 'typescript',
  sh: 'bash',
  shell: 'bash',
  python3: 'python',
  sqlite: 'sql',
  sqlite3: 'sql',
};

const grammarOf = (language: string) => GRAMMARS[OTHER_NAMES[language] ?? language];

export function indentOf(language: string): number {
  return grammarOf(language)?.indent ?? 4;
}

/** The grammar of a language, or nothing for one that is shown as plain text. */
export async function loadGrammar(language: string): Promise<Extension> {
  return (await grammarOf(language)?.load()) ?? [];
}
