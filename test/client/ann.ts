import { readKeyFile } from '../../shared/wire/identity/keys.ts';

/** RFC 8032, section 7.1, test 1, in base64url; RFC 8037, appendix A, has the same key and its thumbprint. */
export const annKeyFile = {
  endpoint: 'http://api.test',
  client: 'ann',
  privateKey: {
    kty: 'OKP',
    crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  },
};

/** The client of the tests that need one. */
export const { key: ann } = await readKeyFile(annKeyFile);
