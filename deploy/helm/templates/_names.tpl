{{/* The labels by which Service, policies and monitor find the pods. */}}
{{- define "proxyprotocol.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The configuration as the pods read it. */}}
{{- define "proxyprotocol.config" -}}
{{- $shutdown := dict "readyDelay" (printf "%ds" (int .Values.readyDelay)) "drain" (printf "%ds" (int .Values.drain)) }}
{{- $defaults := dict "admin" (dict "listen" "0.0.0.0:10009") "log" (dict "format" "json") }}
{{- toPrettyJson (mergeOverwrite $defaults (deepCopy .Values.config) (dict "shutdown" $shutdown)) }}
{{- end }}
