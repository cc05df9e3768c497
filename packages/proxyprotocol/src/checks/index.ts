// Checks of arguments: each throws `<name> must be <what>, got <value>`.

export { checkNames, checkObject, integer, limit, milliseconds, oneOf, optionalFunction } from './options.ts'
export { quote } from './quote.ts'
