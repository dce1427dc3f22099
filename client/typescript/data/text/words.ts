/**
 * Text as words and punctuation marks, as BERT's basic tokenizer cuts it (Devlin et al. 2019): at white space, around every mark of
 * punctuation, and around every CJK ideograph.
 * @param fold lower case and without accents, as BERT's uncased models want it; default true
 */
export function wordsOf(text: string, fold = true): string[] {
  const cleaned = text.replaceAll(/[\p{Cc}\p{Cf}\ufffd]/gu, (mark) => (/[\t\n\r]/.test(mark) ? ' ' : ''));
  const folded = fold
    ? cleaned
        .toLowerCase()
        .normalize('NFD')
        .replaceAll(/\p{Mn}/gu, '')
    : cleaned;
  return (
    folded.match(
      /[\p{P}$+<=>^`|~]|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2fa1f}]|[^\s\p{P}$+<=>^`|~\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2fa1f}]+/gu,
    ) ?? []
  );
}
