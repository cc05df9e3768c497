#!/usr/bin/env node
import process from 'node:process'
import { runServer } from '../dist/cli/index.js'

process.exitCode = await runServer(process.argv.slice(2))
process.channel?.unref() // a cluster's primary, such as pm2, would keep the process alive
