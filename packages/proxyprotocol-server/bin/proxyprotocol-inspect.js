#!/usr/bin/env node
import process from 'node:process'
import { runInspect } from '../dist/cli/index.js'

process.exitCode = await runInspect(process.argv.slice(2))
