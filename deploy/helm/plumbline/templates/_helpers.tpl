{{- define "plumbline.name" -}}
{{ default .Release.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "plumbline.selector" -}}
app.kubernetes.io/name: plumbline
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "plumbline.labels" -}}
{{ include "plumbline.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "plumbline.serviceAccount" -}}
{{ default (include "plumbline.name" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "plumbline.priorityClass" -}}
{{ default (ternary (include "plumbline.name" .) "" .Values.priorityClass.create) .Values.priorityClass.name }}
{{- end }}

{{- define "plumbline.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "plumbline.capabilities" -}}
{{- $tls := ternary (list "SYS_ADMIN" "SYS_PTRACE") list (has "tls" (.Values.config.probes | default list)) -}}
{{ concat .Values.capabilities $tls | uniq | toJson }}
{{- end }}

{{- define "plumbline.config" -}}
{{- $set := dict "listen" (printf "0.0.0.0:%v" .Values.port) -}}
{{- mergeOverwrite (deepCopy .Values.config) $set | toYaml }}
{{- end }}

{{- define "plumbline.scheme" -}}
{{ if and .Values.webConfig.secretName .Values.webConfig.tls }}https{{ else }}http{{ end }}
{{- end }}

{{- define "plumbline.handler" -}}
{{- if and .root.Values.webConfig.secretName .root.Values.webConfig.clientCertificates -}}
tcpSocket: { port: metrics }
{{- else -}}
httpGet: { path: {{ .path }}, port: metrics, scheme: {{ include "plumbline.scheme" .root | upper }} }
{{- end }}
{{- end }}
