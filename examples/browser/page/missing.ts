/** What this browser lacks, as a sentence, or undefined if it can take part. */
export async function whatIsMissing(): Promise<string | undefined> {
  if (!isSecureContext) return 'This page has to come over https, or from this very machine, to keep a key.';
  const lacks = [
    [typeof WebAssembly === 'object', 'WebAssembly'],
    [typeof Worker === 'function', 'web workers'],
    ['indexedDB' in globalThis, 'IndexedDB'],
    ['locks' in navigator, 'Web Locks'],
    [await signs(), 'Ed25519 signatures'],
  ].flatMap(([has, name]) => (has ? [] : [name]));
  if (lacks.length === 0) return undefined;
  return `This browser cannot take part: it lacks ${lacks.join(' and ')}. Chrome 137, Firefox 129, Safari 17 and newer can.`;
}

function signs(): Promise<boolean> {
  return crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']).then(
    () => true,
    () => false,
  );
}
