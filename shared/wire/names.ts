import { z } from 'zod';
import {
  type ClientId,
  clientIdPattern,
  sha256Pattern,
  type TaskId,
  type TicketId,
  taskIdPattern,
  ticketIdPattern,
} from '../core/names.ts';

export const taskIdSchema = z
  .string()
  .regex(taskIdPattern, 'a task id is 1 to 40 of a-z, 0-9 and "-", starting with a letter')
  .transform((id) => id as TaskId);
export const clientIdSchema = z
  .string()
  .regex(clientIdPattern, 'a client id is 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-"')
  .transform((id) => id as ClientId);
export const ticketIdSchema = z
  .string()
  .regex(ticketIdPattern, 'a ticket id is 43 characters of base64url')
  .transform((id) => id as TicketId);
export const sha256Schema = z.string().regex(sha256Pattern, 'a SHA-256 is 64 lower-case hexadecimal digits');
