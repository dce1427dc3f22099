import { authorizer } from './authorizer.ts';
import { awsPorts } from './aws/ports.ts';

export const handler = authorizer(awsPorts('identities', 'clock'));
