/** What went wrong as a sentence for someone who was sent a link, and what helps. `{host}` is the federation's. */
const sentences: Readonly<Record<string, string>> = {
  network: 'The federation at {host} does not answer. Check your connection, then try again: nothing is lost.',
  'invitation-unknown': 'The federation does not know this invitation. Ask for a new link.',
  'invitation-used': 'This invitation was used already, and works once. Ask for a new link.',
  'invitation-expired': 'This invitation has run out. Ask for a new link.',
  'invitation-missing':
    'This link brings no invitation, and this browser has not joined before. Open the link just as you were sent it.',
  'identity-refused':
    'The federation no longer takes updates from this device: it may have been removed. Ask for a new link to come back.',
  'client-revoked': 'The federation has removed this device. Ask for a new link to come back.',
  'task-unknown': 'The federation has no such task. Is the link complete?',
  'data-missing': 'There is no row in that file. Choose a CSV file with one example on each line.',
  'encoding-missing': 'This task does not learn from tables: it does not say what to make of a CSV file.',
  'store-failed': 'This browser keeps nothing for this page, which training needs. Is this a private window?',
  'training-graph-refused': "This browser cannot run the task's model.",
};

/** Codes after which the same again may work. */
const passing = new Set(['network', 'store-failed', 'unexpected', 'answer-malformed']);

export function sentenceFor({ code, message }: { code: string; message: string }, endpoint: string): string {
  const sentence = sentences[code]?.replace('{host}', new URL(endpoint).host);
  return sentence ?? `It stopped: ${message}.`;
}

export function mayHelpToRepeat({ code }: { code: string }): boolean {
  return passing.has(code) || code.startsWith('http-5');
}
