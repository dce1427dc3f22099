declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A task's id: 1 to 40 of `a-z 0-9 -`, starting with a letter. Short, because execution names carry it. */
export type TaskId = Branded<'TaskId'>;
/** A client's id: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
export type ClientId = Branded<'ClientId'>;
/** A ticket's id: 32 random bytes in base64url, 43 characters. Unguessable: it is the leave to upload. */
export type TicketId = Branded<'TicketId'>;

export const taskIdPattern = /^[a-z][a-z0-9-]{0,39}$/;
export const clientIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const ticketIdPattern = /^[A-Za-z0-9_-]{43}$/;
/** Lower-case hex of a SHA-256. */
export const sha256Pattern = /^[0-9a-f]{64}$/;
