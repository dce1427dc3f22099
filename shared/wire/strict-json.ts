/** Nothing that travels is nested deeper. */
const maxDepth = 64;

/**
 * JSON of which two readers cannot see two things: UTF-8 without a byte-order mark, no name twice in an object (RFC 8259, section 4
 * leaves open which counts), no `__proto__`, and nested at most 64 deep. Linear in its length.
 * @throws {SyntaxError}
 */
export function parseStrictJson(json: Uint8Array | string): unknown {
  const text = typeof json === 'string' ? json : decoded(json);
  checkStructure(text);
  return JSON.parse(text);
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SyntaxError('not UTF-8', { cause });
  }
}

/** What is no JSON passes: `JSON.parse` finds that. */
function checkStructure(text: string): void {
  /** For each bracket that is open the names in it, undefined in a list. */
  const open: (Set<string> | undefined)[] = [];
  let string = '';
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at);
        string = text.slice(at, end);
        at = end - 1;
        break;
      }
      case '{':
      case '[':
        open.push(text[at] === '{' ? new Set() : undefined);
        if (open.length > maxDepth) throw new SyntaxError(`nested deeper than ${maxDepth}`);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ':':
        addName(open.at(-1), string);
        break;
    }
  }
}

function addName(names: Set<string> | undefined, string: string): void {
  const name: unknown = string.includes('\\') ? JSON.parse(string) : string.slice(1, -1);
  if (typeof name !== 'string' || name === '__proto__') throw new SyntaxError('a member is named __proto__');
  if (names?.has(name)) throw new SyntaxError('a name appears twice');
  names?.add(name);
}

/** One past the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
