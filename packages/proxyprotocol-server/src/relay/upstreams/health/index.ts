// What is known of a member: its judge, its notices, and how it starts again.

export { ChangeNotices, type Notice } from './change-notices.ts'
export { agedFailure, type Failure, Judge, type JudgeChange } from './judge.ts'
export { SlowStart } from './slow-start.ts'
