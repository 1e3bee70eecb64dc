import { z } from 'zod';
import { personId, shownName } from '../../../domain/people/events.ts';

/** What signs people in. Lengths are bounded before anything is hashed. */

/** As people type it: their keyboard may begin with a capital letter and end with a space. */
export const accountText = z
  .string()
  .max(200)
  .transform((text) => text.trim().toLowerCase())
  .refine((text) => text !== '', 'an account is needed');

/** Any length that may be tried; what a new one must be like is judged with its owner in view. */
export const passwordText = z.string().min(1, 'a password is needed').max(1024);

export const linkToken = z.string().min(1).max(256);

export const firstAccountPost = z.strictObject({ personId, name: shownName, password: passwordText });
