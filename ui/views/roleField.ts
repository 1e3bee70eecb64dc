import { html, type TemplateResult } from 'lit';
import { ROLES, type Role } from '../../domain/people/role.ts';
import { roleMeaning } from '../data/people.ts';

/** The choice of a role, with what each may do. */
export function roleField(chosen: Role, onChange: (role: Role) => void): TemplateResult {
  return html`<fieldset>
    <legend>Role</legend>
    ${ROLES.map(
      (role) =>
        html`<label class="choice">
          <input type="radio" name="role" value=${role} .checked=${role === chosen} @change=${() => onChange(role)} />
          <span><strong>${role}</strong> <span class="muted">${roleMeaning(role)}</span></span>
        </label>`,
    )}
  </fieldset>`;
}
