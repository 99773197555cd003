// Package actionpb has the messages of the action servers' protocol over gRPC.
// The code is made of action_webhook.proto by
//
//	protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative action_webhook.proto
//
// with protoc-gen-go 1.36.12 and protoc-gen-go-grpc 1.6.2.
package actionpb
