import * as Y from 'yjs';

/** Why a copy of the text was set aside. */
export type RecoveryReason = 'other-generation' | 'read-only' | 'refused';

/** What a person had written and the shared document does not hold; kept until they dismiss it. */
export interface Recovery {
  id: number;
  reason: RecoveryReason;
  /** The server's sentence, or ours where the server said nothing. */
  sentence: string;
  /** By root text, that is by language. */
  texts: Record<string, string>;
  at: number;
}

/** The root texts of a document that hold anything. */
export function readTexts(doc: Y.Doc): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const name of doc.share.keys()) {
    const text = doc.getText(name).toString();
    if (text !== '') texts[name] = text;
  }
  return texts;
}

export function readUpdate(update: Uint8Array): Record<string, string> {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  const texts = readTexts(doc);
  doc.destroy();
  return texts;
}

/** Only what the shared document does not say in the same words. */
export function withoutShared(texts: Record<string, string>, doc: Y.Doc): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([name, text]) => doc.getText(name).toString() !== text));
}
