// Package project finds the files of an assistant and reads them into one
// picture: configuration, domain, NLU data, stories, endpoints and credentials.
//
// It knows how Rasa lays out a project and how it recognises its files. What the
// components in config.yml mean is the business of package recipe.
package project
