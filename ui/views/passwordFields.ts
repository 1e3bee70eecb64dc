import { html } from 'lit';
import { PASSWORD_LEAST, passwordProblem } from '../../domain/people/password.ts';
import { formField } from '../components/formField.ts';
import { asSentence } from '../data/explain.ts';
import type { FieldProblems } from './doorForm.ts';

interface TypedTwice {
  readonly password: string;
  readonly again: string;
}

/** A new password, typed twice because it cannot be seen. */
export function passwordFields(
  typed: TypedTwice,
  problems: FieldProblems,
  onInput: (name: 'password' | 'again', value: string) => void,
  label = 'Password',
): unknown {
  return html`${formField({
    id: 'password',
    label,
    type: 'password',
    value: typed.password,
    autocomplete: 'new-password',
    help: `At least ${PASSWORD_LEAST} characters; a few words are good.`,
    problem: problems['password'] ?? null,
    onInput: (value) => onInput('password', value),
  })}
  ${formField({
    id: 'again',
    label: `${label} again`,
    type: 'password',
    value: typed.again,
    autocomplete: 'new-password',
    problem: problems['again'] ?? null,
    onInput: (value) => onInput('again', value),
  })}`;
}

/** The same judgement as the gateway's, and whether it was typed twice alike. */
export function passwordProblems(
  { password, again }: TypedTwice,
  owner: { readonly personId: string; readonly name: string },
): FieldProblems {
  const problem = passwordProblem(password, owner);
  if (problem !== null) return { password: asSentence(problem) };
  return password === again ? {} : { again: 'This is not the same as above.' };
}
