// The section `health` of a service.

import { z } from 'zod'
import { healthDefaults, type HealthInit, type PassiveHealth } from '../../health.ts'
import { bounded, type KeyMeta, MAX_MILLISECONDS, measure, meta, type Timed } from '../keys.ts'
import { checkSchema, type CheckText } from './check.ts'

/** More would have no use. */
const MAX = 1_000

/** The section as users write it. */
export interface HealthText extends Timed<PassiveHealth, 'window' | 'cooldown' | 'slowStart'> {
  readonly check?: CheckText | undefined
}

const { fails, window, cooldown, onDown } = healthDefaults

/** Without defaults, so that what is given can win over another section. */
export const healthSchema: z.ZodType<HealthInit, HealthText | undefined> = z
  .strictObject({
    fails: key(bounded(0, MAX), fails, {
      description:
        'Failures in a row, of connections and checks, that mark an upstream as down; 0 for never.',
    }),
    window: key(measure('ms', 1, MAX_MILLISECONDS), window, {
      description: 'The time within which they must happen.',
      unit: 'ms',
    }),
    cooldown: key(measure('ms', 1, MAX_MILLISECONDS), cooldown, {
      description: 'Until the relay itself tries a marked upstream without checks.',
      unit: 'ms',
    }),
    onDown: key(z.enum(['keep', 'reset']), onDown, {
      description: 'What happens to open connections of an upstream that its checks find down.',
    }),
    slowStart: measure('ms', 1, MAX_MILLISECONDS)
      .optional()
      .meta(
        meta({
          description: 'The time in which the weight of an upstream rises after it was down, or is new.',
          unit: 'ms',
          defaultIs: 'full weight at once',
        }),
      ),
    check: checkSchema,
  })
  .prefault({})
  .meta(meta({ description: 'When an upstream counts as down.' }))

function key<Schema extends z.ZodType>(schema: Schema, value: unknown, said: KeyMeta): z.ZodOptional<Schema> {
  return schema.optional().meta({ ...meta(said), default: value })
}
