/**
 * True if `text` matches `pattern`, where `*` stands for any run of characters and `?` for any one.
 * Two pointers that go back to the last star: time O(pattern x text), so a hostile pattern cannot blow up.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resumeAt = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      resumeAt = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** ARN comparison of `ArnLike` and `ArnEquals`: each of the six colon-separated parts by itself. */
export function matchesArn(pattern: string, arn: string): boolean {
  const patternParts = arnParts(pattern);
  const parts = arnParts(arn);
  return parts.length === patternParts.length && patternParts.every((part, i) => matchesGlob(part, parts[i]));
}

/** The last part of an ARN may hold colons itself. */
function arnParts(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}
