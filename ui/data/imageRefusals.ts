import { asSentence } from './explain.ts';
import { IMAGE_FIELDS } from './imageChanges.ts';
import type { FieldErrors, ImageFields } from './imageForm.ts';
import { Problem } from './problem.ts';

/** Refusals that are of one field, whatever they say. */
const OF_FIELD: Readonly<Record<string, keyof ImageFields>> = {
  REFERENCE_INVALID: 'reference',
  REGISTRY_NOT_ALLOWED: 'reference',
  ENVIRONMENT_LOOKS_SECRET: 'environment',
  GPU_COUNT_LIMIT: 'gpuCount',
};

/** What a refusal says of single fields, to be shown there; empty: it is of the whole, and shown as such. */
export function refusedFields(error: unknown): FieldErrors {
  if (!(error instanceof Problem)) return {};
  const field = OF_FIELD[error.code];
  if (field !== undefined) return { [field]: `${asSentence(error.message)} ${error.code}` };
  const errors = error.details.errors ?? [];
  // A path may lead into a field: `ports.0.containerPort`.
  const found = errors.map(({ path, message }) => {
    const [first = ''] = path.split(/[./[]/);
    return [IMAGE_FIELDS.find((each) => each === first), asSentence(message)] as const;
  });
  return found.some(([name]) => name === undefined) ? {} : Object.fromEntries(found);
}
