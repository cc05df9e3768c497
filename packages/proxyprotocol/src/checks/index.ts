// Checks of arguments: each throws `<name> must be <what>, got <value>`.

export {
  boolean,
  checkNames,
  checkObject,
  integer,
  limit,
  milliseconds,
  oneOf,
  optionalFunction,
} from './options.ts'
export { quote } from './quote.ts'
